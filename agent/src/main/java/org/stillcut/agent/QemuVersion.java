package org.stillcut.agent;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;

/** Which QEMU is installed. */
final class QemuVersion {
    private static final Pattern VERSION = Pattern.compile("version ([0-9.]+)");
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private QemuVersion() {}

    static String of(String program, CommandRunner commands) throws CommandException, InterruptedException {
        Matcher matcher = VERSION.matcher(commands.run(CommandLine.of(program, "--version"), LIMIT));
        return matcher.find() ? matcher.group(1) : "unknown";
    }
}
