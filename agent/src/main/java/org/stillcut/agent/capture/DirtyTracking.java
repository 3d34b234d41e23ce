package org.stillcut.agent.capture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.MissingPages;
import org.stillcut.agent.linux.WriteProtection;
import org.stillcut.agent.qemu.Vm;

/**
 * Chooses the tracker of each VM: write protection if a preloaded library opened the way to it in QEMU, and the kernel agrees;
 * else all pages. Immutable.
 */
public final class DirtyTracking {
    private static final Logger log = LoggerFactory.getLogger(DirtyTracking.class);

    /** Where the library writes what became of it; the same name as in track.c. */
    private static final String ANSWER_VARIABLE = "STILLCUT_TRACK";

    private static final Pattern ANSWER = Pattern.compile("uffd (\\d{1,10}) (\\d{1,9})\\n");
    private static final Pattern REFUSAL = Pattern.compile("failed ([12]) (\\d{1,9})\\n");

    private final Path library;

    /** @param library the one to preload; need not be there */
    public DirtyTracking(Path library) {
        this.library = library;
    }

    /**
     * The tracker of one VM, and why it is this one.
     *
     * @param reason one line for a person
     */
    public record Choice(DirtyTracker tracker, String reason) {}

    /** What the VM's QEMU has to be started with; the run directory is the VM's own. */
    public Map<String, String> environment(Path runDirectory) {
        if (!Files.isReadable(library)) {
            return Map.of();
        }
        return Map.of(
                "LD_PRELOAD",
                library.toAbsolutePath().toString(),
                ANSWER_VARIABLE,
                answer(runDirectory).toString());
    }

    private static Path answer(Path runDirectory) {
        return runDirectory.resolve("track");
    }

    /** As {@link #choose}, with a line in the log. */
    public DirtyTracker tracker(Vm vm) {
        Choice choice = choose(vm);
        switch (choice.tracker.kind()) {
            case WRITE_PROTECTION -> log.info("{}: {}", vm.spec().name(), choice.reason);
            case ALL_PAGES ->
                log.warn(
                        "{}: each checkpoint copies all RAM in the pause: {}",
                        vm.spec().name(),
                        choice.reason);
        }
        return choice.tracker;
    }

    /** Begins to track a VM that was started in {@link #environment}; never fails, as there is always a way. */
    public Choice choose(Vm vm) {
        Path ram = vm.spec().files().ram();
        long lengthBytes = vm.spec().machine().memoryBytes();
        try {
            WriteProtection protection = WriteProtection.take(vm.pid(), descriptor(vm), ram, lengthBytes);
            return new Choice(new WriteProtectionTracker(protection), "writes are tracked by userfaultfd");
        } catch (IOException e) {
            log.debug("{}: no write protection", vm.spec().name(), e);
            return new Choice(new AllPagesTracker(ram), Objects.toString(e.getMessage(), e.toString()));
        }
    }

    /**
     * Holds the VM where it touches RAM that is not there. It is tracked by write protection already, and has not touched any.
     *
     * @throws IOException if this host cannot
     */
    public MissingPages missingPages(Vm vm) throws IOException {
        return MissingPages.take(
                vm.pid(),
                descriptor(vm),
                vm.spec().files().ram(),
                vm.spec().machine().memoryBytes());
    }

    private int descriptor(Vm vm) throws IOException {
        if (!Files.isReadable(library)) {
            throw new IOException("there is no " + library);
        }
        String text;
        try {
            text = Files.readString(answer(vm.spec().files().runDirectory()));
        } catch (NoSuchFileException e) {
            throw new IOException("QEMU did not load " + library, e);
        }
        Matcher refusal = REFUSAL.matcher(text);
        if (refusal.matches()) {
            String call = refusal.group(1).equals("1") ? "userfaultfd" : "its asynchronous write protection";
            throw new IOException("the kernel refuses " + call + ", which needs Linux 6.7: errno " + refusal.group(2));
        }
        Matcher answer = ANSWER.matcher(text);
        if (!answer.matches() || !answer.group(1).equals(Long.toString(vm.pid()))) {
            throw new IOException(library + " answered \"" + text.strip() + "\" in process " + vm.pid());
        }
        return Integer.parseInt(answer.group(2));
    }
}
