/**
 * A job's traffic in a model: ranks, kernels with buffers and windows, a wire that delays and loses, and looks that are taken
 * one after the other. It knows what is on the wire, so it knows when the rules are wrong.
 */
@NullMarked
package org.stillcut.protocol.traffic.model;

import org.jspecify.annotations.NullMarked;
