package org.stillcut.systemtests.wire;

/**
 * A TCP segment of the job.
 *
 * @param sequence number of its first byte, modulo 2^32
 * @param acknowledged the other direction is acknowledged up to there, exclusive, if {@code acknowledges}
 * @param opens whether it has the SYN flag, so that its numbers begin anew
 */
record Segment(Flow flow, int sequence, int payloadBytes, boolean opens, boolean acknowledges, int acknowledged) {
    /** One direction of a connection. */
    record Flow(int sourceAddress, int sourcePort, int targetAddress, int targetPort) {
        Flow reversed() {
            return new Flow(targetAddress, targetPort, sourceAddress, sourcePort);
        }

        @Override
        public String toString() {
            return address(sourceAddress) + ":" + sourcePort + " to " + address(targetAddress) + ":" + targetPort;
        }

        private static String address(int address) {
            return (address >>> 24) + "." + (address >>> 16 & 255) + "." + (address >>> 8 & 255) + "."
                    + (address & 255);
        }
    }

    /** Whether the receiver has all of the payload if it has acknowledged up to there; RFC 9293, section 3.4. */
    boolean isCoveredBy(int acknowledgement) {
        return acknowledgement - (sequence + payloadBytes) >= 0;
    }
}
