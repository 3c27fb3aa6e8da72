package io.github.pgendpoints.kubernetes.election;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;

/** Receives the events of an {@link Election}, all on its one thread. */
public interface ElectionListener {
  /** This process leads: the API server granted it the Lease. */
  void leads(String identity);

  /**
   * This process led, but does not lead any more.
   *
   * @param isReleased whether it released the Lease itself
   */
  void ended(boolean isReleased);

  /**
   * Another replica holds the Lease.
   *
   * @param holder as the Lease names it, as untrusted text
   */
  void follows(String holder);

  /**
   * A process of another installation holds the Lease. It writes other objects.
   *
   * @param holder as the Lease names it, as untrusted text
   * @param serves the objects that it writes, as untrusted text
   */
  void shares(String holder, String serves);

  /**
   * The holder of the Lease is no replica of this program, so no replica writes.
   *
   * @param holder as the Lease names it, as untrusted text
   * @param duration the time after which the Lease is free, unless the holder renews it
   */
  void waitsFor(String holder, Duration duration);

  /** The Lease could not be read or renewed; called for each failure. */
  void failed(KubernetesClientException failure);

  /** The Lease can be read again after {@link #failed}. */
  void recovered();

  /**
   * The Role does not grant list and watch on the Lease, so it is read each second; called once.
   */
  void notWatched();

  /** The API server refuses the Lease (403), so there is no election, and every process leads. */
  void notGranted(KubernetesClientException refusal);
}
