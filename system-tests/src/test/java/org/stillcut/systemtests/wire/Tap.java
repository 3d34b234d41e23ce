package org.stillcut.systemtests.wire;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** This process's end of a tap device, see Documentation/networking/tuntap.rst of Linux. The device goes when it is closed. */
final class Tap implements AutoCloseable {
    private static final long TUNSETIFF = 0x400454caL;

    /** Ethernet frames without a header of the kernel's in front. */
    private static final short IFF_TAP_NO_PI = 0x1002;

    private static final long IFREQ_BYTES = 40;
    private static final long IFREQ_FLAGS = 16;

    private final String device;
    private final int descriptor;

    private Tap(String device, int descriptor) {
        this.device = device;
        this.descriptor = descriptor;
    }

    /** Makes the device, in the namespace of this process; it may be moved. */
    static Tap make(String device) throws IOException {
        int descriptor = Linux.open("/dev/net/tun");
        boolean made = false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(IFREQ_BYTES, Long.BYTES);
            request.setString(0, device);
            request.set(ValueLayout.JAVA_SHORT, IFREQ_FLAGS, IFF_TAP_NO_PI);
            Linux.ioctl(descriptor, TUNSETIFF, request);
            made = true;
            return new Tap(device, descriptor);
        } finally {
            if (!made) {
                Linux.close(descriptor);
            }
        }
    }

    String device() {
        return device;
    }

    int descriptor() {
        return descriptor;
    }

    /** The next frame's length; 0 when there is none. */
    int read(MemorySegment target) throws IOException {
        int length = Linux.read(descriptor, target);
        if (length < 0 && length != -Linux.EAGAIN) {
            throw new IOException("reading from " + device + ": errno " + -length);
        }
        return Math.max(0, length);
    }

    /** A frame that the device does not take is lost, as on any network. */
    void write(MemorySegment frame) {
        int ignored = Linux.write(descriptor, frame);
    }

    @Override
    public void close() {
        Linux.close(descriptor);
    }
}
