package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import java.net.InetAddress;
import java.net.Socket;
import javax.net.SocketFactory;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLSession;
import org.postgresql.ssl.PGjdbcHostnameVerifier;

/**
 * A login that is under way in this thread. pgjdbc makes its socket factory and its host name
 * verifier itself, by the names of their classes; through this they learn whose they are.
 */
final class LoginAttempt implements AutoCloseable {
  private static final ThreadLocal<LoginAttempt> CURRENT = new ThreadLocal<>();

  private final String host;
  private final Deadline deadline;
  private final Turn turn;
  private DeadlineSocket socket;
  private boolean nameRefused;

  /**
   * @param host the name written in the node list
   */
  LoginAttempt(String host, Deadline deadline, Turn turn) {
    this.host = host;
    this.deadline = deadline;
    this.turn = turn;
    CURRENT.set(this);
  }

  /** The socket opened last: sslmode allow and prefer may open two. */
  DeadlineSocket socket() {
    return socket;
  }

  /** Whether the server's certificate is for another name. */
  boolean isNameRefused() {
    return nameRefused;
  }

  @Override
  public void close() {
    CURRENT.remove();
  }

  /** Makes sockets that end by the deadline of the login. */
  public static final class Sockets extends SocketFactory {
    @Override
    public Socket createSocket() {
      LoginAttempt login = CURRENT.get();
      login.socket = new DeadlineSocket(login.deadline);
      login.socket.endsInSilence(login.turn);
      return login.socket;
    }

    @Override
    public Socket createSocket(String host, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress address, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }
  }

  /**
   * For sslmode verify-full: checks the name written in PG_NODES, though the connection goes to the
   * address it resolved to.
   */
  public static final class NodeName implements HostnameVerifier {
    @Override
    public boolean verify(String address, SSLSession session) {
      LoginAttempt login = CURRENT.get();
      login.nameRefused =
          !PGjdbcHostnameVerifier.INSTANCE.verify(asInCertificates(login.host), session);
      return !login.nameRefused;
    }

    /** pgjdbc compares text, and Java spells an IPv6 address in a certificate in its long form. */
    private static String asInCertificates(String host) {
      return Addresses.isAddress(host) ? Addresses.parse(host).getHostAddress() : host;
    }
  }
}
