/**
 * What {@code --train} runs: the whole program, for one cycle that Java takes notes of, against
 * stand-ins for a cluster and for the Kubernetes API. They exist on this machine's loopback address
 * alone, while the training lasts, and know nothing of the user's own.
 */
package io.github.pgendpoints.training;
