package io.github.pgendpoints.postgres;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.security.Security;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Keys of SCRAM logins, requested from Java as pgjdbc requests them. */
class ScramKeysTest {
  private static final String ALGORITHM = "PBKDF2WithHmacSHA256";
  private static final int SLOW = 1_000_000;

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @BeforeEach
  void remember() {
    ScramKeys.remember();
    ScramKeys.remember();
  }

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  private static PBEKeySpec spec(String password, String salt, int iterations) {
    return new PBEKeySpec(password.toCharArray(), salt.getBytes(), iterations, 256);
  }

  private static byte[] key(PBEKeySpec spec) throws GeneralSecurityException {
    SecretKeyFactory factory = SecretKeyFactory.getInstance(ALGORITHM);
    assertEquals("postgres-endpoint-manager", factory.getProvider().getName());
    return factory.generateSecret(spec).getEncoded();
  }

  @Test
  void aKeyIsTheOneThatJavaItselfDerives() throws GeneralSecurityException {
    PBEKeySpec spec = spec("pässword", "salt", 4096);

    byte[] expected =
        SecretKeyFactory.getInstance(ALGORITHM, "SunJCE").generateSecret(spec).getEncoded();
    assertArrayEquals(expected, key(spec));
    assertArrayEquals(expected, key(spec));
  }

  @Test
  void differentInputsGiveDifferentKeys() throws GeneralSecurityException {
    List<PBEKeySpec> specs =
        List.of(
            spec("a", "salt", 4096),
            spec("b", "salt", 4096),
            spec("a", "SALT", 4096),
            spec("a", "salt", 4097),
            spec("ta", "sal", 4096));
    List<String> keys = new ArrayList<>();
    for (PBEKeySpec spec : specs) {
      keys.add(new String(key(spec), StandardCharsets.ISO_8859_1));
    }
    assertEquals(specs.size(), keys.stream().distinct().count());
  }

  @Test
  void aKeyIsDerivedOnce() throws GeneralSecurityException {
    long began = System.nanoTime();
    byte[] first = key(spec("a", "once", SLOW));
    long derived = System.nanoTime();
    byte[] second = key(spec("a", "once", SLOW));
    long remembered = System.nanoTime();

    assertArrayEquals(first, second);
    assertTrue((remembered - derived) * 10 < derived - began, "it was derived again");
  }

  @Test
  void derivesAKeyAgainAfterAFailure() throws GeneralSecurityException {
    Provider platform = Security.getProvider("SunJCE");
    int position = List.of(Security.getProviders()).indexOf(platform) + 1;
    Security.removeProvider(platform.getName());
    try {
      assertThrows(InvalidKeySpecException.class, () -> key(spec("a", "failing", 4096)));
    } finally {
      Security.insertProviderAt(platform, position);
    }
    assertEquals(32, key(spec("a", "failing", 4096)).length);
  }

  @Test
  void returnsACopyOfTheKey() throws GeneralSecurityException {
    byte[] first = key(spec("a", "copy", 4096));
    byte[] kept = first.clone();
    first[0]++;

    assertArrayEquals(kept, key(spec("a", "copy", 4096)));
  }

  @Test
  void aKeyThatTakesLongHoldsUpNoOther() {
    Future<byte[]> slow = threads.submit(() -> key(spec("a", "slow", SLOW)));

    assertTimeoutPreemptively(
        Duration.ofSeconds(5), () -> key(spec("a", "beside a slow one", 4096)));
    assertFalse(slow.isDone());
  }

  @Test
  void keepsALimitedNumberOfKeys() throws GeneralSecurityException {
    byte[] first = key(spec("a", "first", SLOW));
    for (int i = 0; i < 64; i++) {
      key(spec("a", "made up " + i, 1));
    }

    long began = System.nanoTime();
    assertArrayEquals(first, key(spec("a", "first", SLOW)));
    assertTrue(System.nanoTime() - began > Duration.ofMillis(10).toNanos(), "it was kept");
  }

  @Test
  void anythingElseIsRefused() throws GeneralSecurityException {
    SecretKeyFactory factory = SecretKeyFactory.getInstance(ALGORITHM, "postgres-endpoint-manager");

    assertThrows(
        InvalidKeySpecException.class,
        () -> factory.generateSecret(new X509EncodedKeySpec(new byte[1])));
  }
}
