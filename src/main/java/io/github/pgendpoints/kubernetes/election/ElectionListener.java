package io.github.pgendpoints.kubernetes.election;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;

/** Receives the events of an {@link Election}, all on its one thread. */
public interface ElectionListener {
  /** This process leads: the API server granted it the Lease. */
  void leads(String identity);

  /**
   * This process led, and does not any more.
   *
   * @param isReleased whether it gave the Lease up itself
   */
  void ended(boolean isReleased);

  /**
   * Another replica holds the Lease.
   *
   * @param holder as the Lease names it: text of unknown origin
   */
  void follows(String holder);

  /**
   * Another process holds the Lease, and it is of another installation: it writes other objects.
   *
   * @param holder as the Lease names it: text of unknown origin
   * @param serves what it writes: text of unknown origin
   */
  void shares(String holder, String serves);

  /**
   * Somebody holds the Lease who is no replica of this program: nobody writes.
   *
   * @param holder as the Lease names it: text of unknown origin
   * @param duration after which it is free, unless the holder renews it
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
