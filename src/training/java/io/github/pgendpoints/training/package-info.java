/**
 * What {@code --train} runs: cycles of the whole program against stand-ins for a cluster and for
 * the Kubernetes API. In the last cycle, Java records the classes that it loads. The stand-ins
 * listen on loopback during the training and do not read the user's configuration. The program
 * itself does not contain this package, which is in a separate jar.
 */
package io.github.pgendpoints.training;
