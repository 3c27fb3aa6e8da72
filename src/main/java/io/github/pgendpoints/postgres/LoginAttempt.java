package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.sql.SQLException;
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
  private final Deadline answer;
  private final LoginPermit.Source<SQLException> permits;
  private LoginPermit permit;
  private SQLException gotNoPermit;
  private Deadline connect;
  private DeadlineSocket socket;
  private boolean nameRefused;

  /**
   * @param host the name written in the node list
   * @param answer by when the server has to answer
   * @param permits gives a place among the logins, which only a host that is there takes up
   */
  LoginAttempt(String host, Deadline answer, LoginPermit.Source<SQLException> permits) {
    this.host = host;
    this.answer = answer;
    this.permits = permits;
    this.connect = answer;
    CURRENT.set(this);
  }

  /** Why the login got no place; null if it did, or has not come to that. */
  SQLException gotNoPermit() {
    return gotNoPermit;
  }

  /** Takes a place, once, as soon as a connection is there. */
  private LoginPermit permit() throws IOException {
    if (permit == null) {
      try {
        permit = permits.take();
      } catch (SQLException e) {
        gotNoPermit = e;
        throw new IOException(e);
      }
    }
    return permit;
  }

  /** Sets by when the TCP connections that follow have to be there. */
  void connectBy(Deadline deadline) {
    connect = deadline;
  }

  /** Whether nothing has answered the attempt to connect, not even with a refusal. */
  boolean isUnanswered() {
    return socket != null && !socket.isConnected() && connect.isOver();
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
    if (permit != null) {
      permit.close();
    }
  }

  /** Makes sockets that end by the deadline of the login. */
  public static final class Sockets extends SocketFactory {
    @Override
    public Socket createSocket() {
      LoginAttempt login = CURRENT.get();
      login.socket = new DeadlineSocket(login.connect, login.answer, login::permit);
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
