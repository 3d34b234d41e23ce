package org.stillcut.agent.qemu;

/**
 * Builds one of QEMU's comma-separated option values. A comma inside of a value is written twice, else a path that holds
 * one could set options of its own.
 */
final class QemuOption {

    private final StringBuilder text;

    private QemuOption(String kind) {
        this.text = new StringBuilder(escape(kind));
    }

    /** Starts with the value that needs no key, for instance {@code virtio-blk-pci}. */
    static QemuOption of(String kind) {
        return new QemuOption(kind);
    }

    QemuOption with(String key, Object value) {
        text.append(',').append(key).append('=').append(escape(value.toString()));
        return this;
    }

    private static String escape(String value) {
        return value.replace(",", ",,");
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
