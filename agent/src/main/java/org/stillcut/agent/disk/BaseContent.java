package org.stillcut.agent.disk;

/** What is known of a disk's base image when its VM starts. */
public enum BaseContent {
    /** The image is new, so the first checkpoint must store all of it. */
    NEW,
    /** The image was made from a checkpoint, so the next one need store only what changes from now on. */
    PERSISTED
}
