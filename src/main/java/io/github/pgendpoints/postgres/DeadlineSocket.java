package io.github.pgendpoints.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.util.Map;
import jdk.net.ExtendedSocketOptions;

/**
 * A socket whose connect and reads end by a deadline.
 *
 * <p>The timeout of a plain socket starts anew with each read, so that a server which sends a byte
 * now and then is waited for without end. TLS and the driver read through this socket, and so
 * cannot wait longer either. Nor can a server fill the memory: it may send so much and no more.
 */
final class DeadlineSocket extends Socket {
  /** An answer is a kilobyte, but a timeline's history may be the 64 KiB that history.sql reads. */
  static final int MAX_ANSWER = 1 << 17;

  /** A login is some kilobytes, with the certificates of the server. */
  private static final int MAX_LOGIN = 1 << 20;

  /** Seconds, and a count: the kernel notices within 25 s that the other machine is gone. */
  private static final Map<SocketOption<Integer>, Integer> KEEPALIVE =
      Map.of(
          ExtendedSocketOptions.TCP_KEEPIDLE, 10,
          ExtendedSocketOptions.TCP_KEEPINTERVAL, 5,
          ExtendedSocketOptions.TCP_KEEPCOUNT, 3);

  private final Deadline connect;
  private final LoginPermit.Source<IOException> permits;
  private volatile Deadline deadline;
  private volatile long received;
  private volatile int allowed = MAX_LOGIN;
  private volatile int soTimeout;
  private volatile LoginPermit permit;
  private Input in;

  /**
   * @param connect of the connection itself
   * @param deadline of all that follows
   * @param permits gives the permit that ends as soon as the other side keeps silent
   */
  DeadlineSocket(Deadline connect, Deadline deadline, LoginPermit.Source<IOException> permits) {
    this.connect = connect;
    this.deadline = deadline;
    this.permits = permits;
  }

  /** Sets another deadline, for a question after the login and the answer to it. */
  void limit(Deadline deadline) {
    this.deadline = deadline;
    this.received = 0;
    this.allowed = MAX_ANSWER;
  }

  @Override
  public void connect(SocketAddress endpoint) throws IOException {
    connect(endpoint, 0);
  }

  @Override
  public void connect(SocketAddress endpoint, int timeout) throws IOException {
    try {
      super.connect(endpoint, timeLeft(connect, timeout));
    } catch (SocketTimeoutException e) {
      throw noAnswer(connect);
    }
    permit = permits.take();
    for (SocketOption<Integer> option : KEEPALIVE.keySet()) {
      if (supportedOptions().contains(option)) {
        setOption(option, KEEPALIVE.get(option));
      }
    }
  }

  @Override
  public InputStream getInputStream() throws IOException {
    return input();
  }

  private synchronized Input input() throws IOException {
    if (in == null) {
      in = new Input(super.getInputStream());
    }
    return in;
  }

  /** The reader's own timeout; a read ends at the earlier of this and the deadline. */
  @Override
  public void setSoTimeout(int timeout) throws SocketException {
    soTimeout = timeout;
  }

  @Override
  public int getSoTimeout() throws SocketException {
    return soTimeout;
  }

  private static int timeLeft(Deadline until, int timeout) throws SocketTimeoutException {
    int left = until.remainingMillis();
    if (left == 0) {
      throw noAnswer(until);
    }
    return timeout == 0 ? left : Math.min(left, timeout);
  }

  private static SocketTimeoutException noAnswer(Deadline until) {
    return new SocketTimeoutException("no answer within " + until);
  }

  /** For how many milliseconds a read may hold the permit; 0 when there is none to hold. */
  private int patience() {
    if (permit == null) {
      return 0;
    }
    permit.releaseWhenOver();
    return permit.readMillis();
  }

  private int read(InputStream raw, byte[] buffer, int offset, int length) throws IOException {
    while (true) {
      int timeout = timeLeft(deadline, soTimeout);
      int patience = patience();
      super.setSoTimeout(patience == 0 ? timeout : Math.min(patience, timeout));
      try {
        return raw.read(buffer, offset, length);
      } catch (SocketTimeoutException e) {
        if (patience > 0) {
          permit.close();
        } else if (!deadline.isOver()) {
          throw e;
        }
      }
    }
  }

  /** Whatever reads or skips ends up in its one read: a skip of the raw stream may block, too. */
  private final class Input extends InputStream {
    private final InputStream raw;

    private Input(InputStream raw) {
      this.raw = raw;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int read = DeadlineSocket.this.read(raw, buffer, offset, length);
      received += Math.max(0, read);
      if (received > allowed) {
        throw new ProtocolException("the server sent more than " + allowed + " bytes");
      }
      return read;
    }

    @Override
    public int available() throws IOException {
      return raw.available();
    }

    @Override
    public void close() throws IOException {
      raw.close();
    }
  }
}
