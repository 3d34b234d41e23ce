package org.stillcut.coordinator.output;

/** The two output streams of a job. */
public enum OutputStreamName {
    STDOUT("stdout"),
    STDERR("stderr");

    private final String fileName;

    OutputStreamName(String fileName) {
        this.fileName = fileName;
    }

    String fileName() {
        return fileName;
    }
}
