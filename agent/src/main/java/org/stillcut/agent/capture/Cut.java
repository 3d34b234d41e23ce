package org.stillcut.agent.capture;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.stillcut.agent.disk.OverlayChain;
import org.stillcut.store.ImageRef;

/**
 * All of one VM at one instant, ready to be stored.
 *
 * @param ram its image is that of the cut
 * @param deviceState what QEMU saved of its devices; its position and limit stay as they are
 * @param disk its frozen layers hold the disk
 * @param diskBase what the store has of the disk below the layers that it does not have
 */
public record Cut(RamCapture ram, ByteBuffer deviceState, OverlayChain disk, Optional<ImageRef> diskBase) {}
