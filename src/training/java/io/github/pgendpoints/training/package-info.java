/**
 * What {@code --train} runs: one cycle of the whole program, in which Java records the classes that
 * it loads, against stand-ins for a cluster and for the Kubernetes API. The stand-ins listen on
 * loopback while the training lasts, and do not read the user's configuration. The program itself
 * does not contain this package: it is in a jar of its own.
 */
package io.github.pgendpoints.training;
