package org.stillcut.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations and sizes as people write and read them. */
final class Quantities {
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m|h|d)?");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,12})([KMGT]?)(?:i?B)?", Pattern.CASE_INSENSITIVE);
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Quantities() {}

    /** A name from a guest, for a person's terminal. */
    static String printable(String name) {
        return name.replaceAll("\\p{Cntrl}", "?");
    }

    /** Reads 500ms, 30s, 10m, 2h or 1d; a plain number is seconds. */
    static Duration duration(String option, String text) throws UsageException {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new UsageException(option + " " + text + ": not a duration such as 30s, 10m or 2h");
        }
        long count = Long.parseLong(matcher.group(1));
        String unit = matcher.group(2) == null ? "s" : matcher.group(2);
        return switch (unit) {
            case "ms" -> Duration.ofMillis(count);
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
    }

    /** Reads 256M, 2G or 1048576, in powers of 1024. */
    static long bytes(String option, String text) throws UsageException {
        Matcher matcher = SIZE.matcher(text);
        if (!matcher.matches()) {
            throw new UsageException(option + " " + text + ": not a size such as 256M or 2G");
        }
        int power = "KMGT".indexOf(matcher.group(2).toUpperCase(Locale.ROOT)) + 1;
        try {
            return Math.multiplyExact(
                    Long.parseLong(matcher.group(1)), matcher.group(2).isEmpty() ? 1L : 1L << (10 * power));
        } catch (ArithmeticException e) {
            throw new UsageException(option + " " + text + ": too large");
        }
    }

    static int count(String option, String text, int least, int most) throws UsageException {
        if (!text.matches("[0-9]{1,9}") || Integer.parseInt(text) < least || Integer.parseInt(text) > most) {
            throw new UsageException(option + " " + text + ": not a number from " + least + " to " + most);
        }
        return Integer.parseInt(text);
    }

    /** Such as "97.5 MiB". */
    static String readableBytes(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
    }

    /** How many times smaller something became, such as "683x"; "-" when nothing of it is left. */
    static String readableRatio(long before, long after) {
        if (after <= 0) {
            return "-";
        }
        double ratio = (double) before / after;
        return String.format(Locale.ROOT, ratio < 9.95 ? "%.1fx" : "%.0fx", ratio);
    }

    /** Such as "12.3 ms" or "4.05 s". */
    static String readableMicros(long micros) {
        return micros < 1_000_000
                ? String.format(Locale.ROOT, "%.1f ms", micros / 1e3)
                : String.format(Locale.ROOT, "%.2f s", micros / 1e6);
    }
}
