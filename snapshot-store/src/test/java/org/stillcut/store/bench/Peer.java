package org.stillcut.store.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Another program that stores files with shared chunks; each backup reads the whole file, whatever its time says. */
record Peer(String name, Path repository, String createCommand, String backupCommand, String restoreCommand) {

    private static final long LIMIT_MINUTES = 15;

    /** Those that this machine has. */
    static List<Peer> installed(Path directory) {
        List<Peer> peers = new ArrayList<>();
        Path restic = directory.resolve("restic");
        if (Files.isExecutable(Path.of("/usr/bin/restic"))) {
            String tool = "RESTIC_PASSWORD=x restic --no-cache -q -r " + restic;
            peers.add(new Peer(
                    "restic",
                    restic,
                    tool + " init",
                    tool + " backup --force IMAGE",
                    tool + " restore latest --target " + directory.resolve("restic-out")));
        }
        Path borg = directory.resolve("borg");
        if (Files.isExecutable(Path.of("/usr/bin/borg"))) {
            String tool = "BORG_BASE_DIR=" + directory.resolve("borg-home")
                    + " BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes borg";
            Path out = directory.resolve("borg-out");
            peers.add(new Peer(
                    "borg",
                    borg,
                    tool + " init -e none " + borg,
                    tool + " create --files-cache=disabled --chunker-params fixed,65536 -C zstd,1 " + borg
                            + "::STEP IMAGE",
                    "mkdir " + out + " && cd " + out + " && " + tool + " extract " + borg + "::STEP"));
        }
        return peers;
    }

    void create() throws IOException, InterruptedException {
        shell(createCommand);
    }

    double[] backup(String step, Path image) throws IOException, InterruptedException {
        return shell(backupCommand.replace("STEP", step).replace("IMAGE", image.toString()));
    }

    double[] restore(String step, Path image) throws IOException, InterruptedException {
        return shell(restoreCommand.replace("STEP", step).replace("IMAGE", image.toString()) + " && sync");
    }

    /** Runs a command; returns its wall and processor seconds. */
    static double[] shell(String command) throws IOException, InterruptedException {
        Path log = Files.createTempFile("bench-", ".log");
        try {
            Process process = new ProcessBuilder(
                            "bash", "-c", "TIMEFORMAT='%R %U %S'; time { ( " + command + " ) >" + log + " 2>&1; }")
                    .redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IOException(command + " failed: " + Files.readString(log));
            }
            String[] times = output.strip().split(" ", -1);
            double cpu = Double.parseDouble(times[1]) + Double.parseDouble(times[2]);
            return new double[] {Double.parseDouble(times[0]), cpu};
        } finally {
            Files.delete(log);
        }
    }
}
