package io.github.pgendpoints.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.SocketOptions;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.Map;

/**
 * Makes a socket of a channel, as {@link SocketChannel#socket} does, but one that a subclass of
 * {@link Socket} can be built on. It has what a client needs, pgjdbc and TLS above all.
 */
final class ChannelSocketImpl extends SocketImpl {
  private static final Map<Integer, SocketOption<?>> OPTIONS =
      Map.of(
          SocketOptions.TCP_NODELAY, StandardSocketOptions.TCP_NODELAY,
          SocketOptions.SO_KEEPALIVE, StandardSocketOptions.SO_KEEPALIVE,
          SocketOptions.SO_SNDBUF, StandardSocketOptions.SO_SNDBUF,
          SocketOptions.SO_RCVBUF, StandardSocketOptions.SO_RCVBUF,
          SocketOptions.SO_LINGER, StandardSocketOptions.SO_LINGER);

  private SocketChannel channel;
  private Socket socket;

  @Override
  protected void create(boolean stream) throws IOException {
    channel = SocketChannel.open();
    socket = channel.socket();
  }

  /** The channel; null until the socket connects. */
  SocketChannel channel() {
    return channel;
  }

  @Override
  protected void connect(String host, int port) throws IOException {
    connect(new InetSocketAddress(host, port), 0);
  }

  @Override
  protected void connect(InetAddress address, int port) throws IOException {
    connect(new InetSocketAddress(address, port), 0);
  }

  @Override
  protected void connect(SocketAddress endpoint, int timeout) throws IOException {
    socket.connect(endpoint, timeout);
    address = socket.getInetAddress();
    port = socket.getPort();
    localport = socket.getLocalPort();
  }

  @Override
  protected InputStream getInputStream() throws IOException {
    return socket.getInputStream();
  }

  @Override
  protected OutputStream getOutputStream() throws IOException {
    return socket.getOutputStream();
  }

  @Override
  protected int available() throws IOException {
    return socket.getInputStream().available();
  }

  @Override
  protected void shutdownInput() throws IOException {
    socket.shutdownInput();
  }

  @Override
  protected void shutdownOutput() throws IOException {
    socket.shutdownOutput();
  }

  @Override
  protected void close() throws IOException {
    channel.close();
  }

  @Override
  public void setOption(int option, Object value) throws SocketException {
    if (option == SocketOptions.SO_TIMEOUT) {
      socket.setSoTimeout((Integer) value);
      return;
    }
    try {
      channel.setOption(channelOption(option), value);
    } catch (IOException e) {
      throw asSocketException(e);
    }
  }

  @Override
  public Object getOption(int option) throws SocketException {
    if (option == SocketOptions.SO_TIMEOUT) {
      return socket.getSoTimeout();
    }
    try {
      return channel.getOption(channelOption(option));
    } catch (IOException e) {
      throw asSocketException(e);
    }
  }

  @SuppressWarnings("unchecked") // a channel looks at the value's type itself
  private static SocketOption<Object> channelOption(int option) throws SocketException {
    SocketOption<?> known = OPTIONS.get(option);
    if (known == null) {
      throw new SocketException("no such option: " + option);
    }
    return (SocketOption<Object>) known;
  }

  private static SocketException asSocketException(IOException e) {
    return e instanceof SocketException socketException
        ? socketException
        : (SocketException) new SocketException(e.getMessage()).initCause(e);
  }

  @Override
  protected void bind(InetAddress host, int port) {
    throw new UnsupportedOperationException();
  }

  @Override
  protected void listen(int backlog) {
    throw new UnsupportedOperationException();
  }

  @Override
  protected void accept(SocketImpl accepted) {
    throw new UnsupportedOperationException();
  }

  @Override
  protected void sendUrgentData(int data) {
    throw new UnsupportedOperationException();
  }
}
