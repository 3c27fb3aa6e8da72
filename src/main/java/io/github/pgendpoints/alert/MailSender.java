package io.github.pgendpoints.alert;

import io.github.pgendpoints.kubernetes.Certificates;
import io.github.pgendpoints.logging.Causes;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Properties;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import org.apache.camel.component.mail.DefaultJavaMailSender;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends mails to the server ALERT_MAIL_HOST. The settings are read each time, and no endpoint has
 * them. A server without TLS does not get the password, unless ALERT_MAIL_TLS is off.
 */
public final class MailSender extends DefaultJavaMailSender {
  private static final Logger LOG = LoggerFactory.getLogger(MailSender.class);

  private final SinkSettings settings;

  public MailSender(SinkSettings settings) {
    this.settings = settings;
  }

  @Override
  public Session getSession() {
    String tls = settings.get("ALERT_MAIL_TLS", "starttls");
    Properties properties = new Properties();
    properties.put("mail.smtp.host", settings.get("ALERT_MAIL_HOST"));
    properties.put(
        "mail.smtp.port", settings.get("ALERT_MAIL_PORT", tls.equals("tls") ? "465" : "587"));
    properties.put("mail.smtp.connectiontimeout", "5000");
    properties.put("mail.smtp.timeout", "10000");
    properties.put("mail.smtp.writetimeout", "10000");
    // The response to QUIT is of no use, and may never arrive.
    properties.put("mail.smtp.quitwait", "false");
    properties.put("mail.smtp.starttls.enable", String.valueOf(tls.equals("starttls")));
    properties.put("mail.smtp.starttls.required", String.valueOf(tls.equals("starttls")));
    properties.put("mail.smtp.ssl.enable", String.valueOf(tls.equals("tls")));
    properties.put("mail.smtp.ssl.checkserveridentity", "true");
    String rootCert = settings.get("ALERT_MAIL_ROOTCERT", "");
    if (!rootCert.isEmpty()) {
      properties.put("mail.smtp.ssl.socketFactory", trusting(rootCert));
    }
    String user = settings.get("ALERT_MAIL_USER", "");
    properties.put("mail.smtp.auth", String.valueOf(!user.isEmpty()));
    return Session.getInstance(properties);
  }

  @Override
  public void send(MimeMessage message) throws MessagingException {
    String user = settings.get("ALERT_MAIL_USER", "");
    message.saveChanges();
    Session session = getSession();
    Transport transport = session.getTransport("smtp");
    try {
      if (user.isEmpty()) {
        transport.connect();
      } else {
        transport.connect(user, settings.get("ALERT_MAIL_PASSWORD"));
      }
      transport.sendMessage(message, message.getAllRecipients());
    } catch (MessagingException e) {
      if (Causes.root(e) instanceof IOException broken) {
        throw new MessagingException(
            "SMTP server %s:%s: %s"
                .formatted(
                    session.getProperty("mail.smtp.host"),
                    session.getProperty("mail.smtp.port"),
                    broken instanceof UnknownHostException ? "unknown host" : broken.getMessage()));
      }
      throw e;
    } finally {
      try {
        transport.close();
      } catch (MessagingException e) {
        // Either the server has the mail, or another exception is being thrown: this one must not
        // cause a second delivery, nor replace the other one.
        LOG.debug("no goodbye from the mail server: {}", e.toString());
      }
    }
  }

  /**
   * @throws IllegalArgumentException if the file has no certificates to trust
   */
  static SSLSocketFactory trusting(String certificates) {
    try (InputStream in = Files.newInputStream(Path.of(certificates))) {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, Certificates.trusting(in, "there is no certificate in it"), null);
      return context.getSocketFactory();
    } catch (NoSuchFileException | InvalidPathException e) {
      throw new IllegalArgumentException(
          "ALERT_MAIL_ROOTCERT='" + certificates + "' is not a readable file");
    } catch (IOException | GeneralSecurityException e) {
      // Without the cause: the log of a failed sink shows only the message of the root cause.
      throw new IllegalArgumentException(
          "ALERT_MAIL_ROOTCERT='%s' cannot be read: %s".formatted(certificates, e.getMessage()));
    }
  }
}
