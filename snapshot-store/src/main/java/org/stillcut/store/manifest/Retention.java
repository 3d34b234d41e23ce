package org.stillcut.store.manifest;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.IsoFields;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import org.stillcut.store.CheckpointMark;

/**
 * Which checkpoints of one job to keep. A checkpoint is kept when any rule asks for it, or when it is protected.
 *
 * <p>Times are those in the commit records, in UTC, and are compared with the newest checkpoint's, never with a clock.
 *
 * @param last so many of the newest
 * @param hourly the newest of each of so many hours that have one; likewise the next two
 * @param within all that are at most this much older than the newest
 * @param tags all that have one of these
 */
public record Retention(
        int last, int hourly, int daily, int weekly, Optional<Duration> within, SortedSet<String> tags) {

    private static final DateTimeFormatter HOUR = DateTimeFormatter.ofPattern("yyyy-MM-dd HH");
    private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("yyyy-MM-dd");

    /** Checks the numbers and copies the tags. */
    public Retention {
        if (last < 0
                || hourly < 0
                || daily < 0
                || weekly < 0
                || within.filter(Duration::isNegative).isPresent()) {
            throw new IllegalArgumentException("a negative number of checkpoints cannot be kept");
        }
        tags = new TreeSet<>(tags);
    }

    /** A checkpoint as the rules see it. */
    public record Candidate(long sequence, Instant created, CheckpointMark mark) {}

    /** Whether no rule asks for anything, so that every checkpoint would go. */
    public boolean isEmpty() {
        return last == 0 && hourly == 0 && daily == 0 && weekly == 0 && within.isEmpty() && tags.isEmpty();
    }

    /** The numbers of those that may be forgotten, ascending. */
    public SortedSet<Long> forgettable(List<Candidate> candidates) {
        List<Candidate> newestFirst = new ArrayList<>(candidates);
        newestFirst.sort(Comparator.comparingLong(Candidate::sequence).reversed());
        Set<Long> kept = new HashSet<>();
        keepByPeriod(newestFirst, last, candidate -> Long.toString(candidate.sequence()), kept);
        keepByPeriod(newestFirst, hourly, candidate -> format(candidate, HOUR), kept);
        keepByPeriod(newestFirst, daily, candidate -> format(candidate, DAY), kept);
        keepByPeriod(newestFirst, weekly, Retention::week, kept);
        SortedSet<Long> forgettable = new TreeSet<>();
        for (Candidate candidate : newestFirst) {
            boolean wanted = kept.contains(candidate.sequence())
                    || candidate.mark().isProtected()
                    || hasOneOf(candidate.mark())
                    || within.filter(limit -> isWithin(candidate, newestFirst.getFirst(), limit))
                            .isPresent();
            if (!wanted) {
                forgettable.add(candidate.sequence());
            }
        }
        return forgettable;
    }

    private boolean hasOneOf(CheckpointMark mark) {
        return !Collections.disjoint(mark.tags(), tags);
    }

    private static void keepByPeriod(
            List<Candidate> newestFirst, int periods, Function<Candidate, String> period, Set<Long> kept) {
        Set<String> seen = new HashSet<>();
        for (Candidate candidate : newestFirst) {
            if (seen.size() < periods && seen.add(period.apply(candidate))) {
                kept.add(candidate.sequence());
            }
        }
    }

    private static String format(Candidate candidate, DateTimeFormatter formatter) {
        return formatter.format(candidate.created().atZone(ZoneOffset.UTC));
    }

    private static String week(Candidate candidate) {
        var time = candidate.created().atZone(ZoneOffset.UTC);
        return time.get(IsoFields.WEEK_BASED_YEAR) + " " + time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR);
    }

    private static boolean isWithin(Candidate candidate, Candidate newest, Duration limit) {
        return Duration.between(candidate.created(), newest.created()).compareTo(limit) <= 0;
    }
}
