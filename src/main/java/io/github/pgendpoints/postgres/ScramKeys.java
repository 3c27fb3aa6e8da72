package io.github.pgendpoints.postgres;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.Security;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.KeySpec;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import javax.crypto.SecretKey;
import javax.crypto.SecretKeyFactory;
import javax.crypto.SecretKeyFactorySpi;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Caches the keys that SCRAM derives from passwords, by 4,096 hashes each. Without the cache, they
 * take a quarter of the CPU time of an idle process. A role has the same salt on all servers of its
 * cluster, so one key is for all of them.
 *
 * <p>It is a security provider because pgjdbc requests the key from Java, and caches none. If Java
 * does not accept the provider, each login derives its key.
 */
final class ScramKeys extends Provider {
  private static final long serialVersionUID = 1;

  private static final String ALGORITHM = "PBKDF2WithHmacSHA256";

  /** The provider of the platform, which derives the keys. */
  private static final String PLATFORM = "SunJCE";

  /** The most keys. A server that invents salts evicts the keys of others: logins rederive them. */
  private static final int MOST = 64;

  private ScramKeys() {
    super("postgres-endpoint-manager", "1", "remembers the keys of SCRAM logins");
    Keys keys = new Keys();
    putService(
        new Service(this, "SecretKeyFactory", ALGORITHM, Keys.class.getName(), List.of(), null) {
          @Override
          public Object newInstance(Object parameter) {
            return keys;
          }
        });
  }

  /** Caches keys from now on, in the whole process. */
  static void remember() {
    // Has no effect if the provider is already there.
    Security.insertProviderAt(new ScramKeys(), 1);
  }

  private static final class Keys extends SecretKeyFactorySpi {
    /** By a hash of all inputs of a key, so that no password is stored here. */
    private final Map<String, FutureTask<byte[]>> keys =
        new LinkedHashMap<>() {
          private static final long serialVersionUID = 1;

          @Override
          protected boolean removeEldestEntry(Map.Entry<String, FutureTask<byte[]>> eldest) {
            return size() > MOST;
          }
        };

    @Override
    protected SecretKey engineGenerateSecret(KeySpec spec) throws InvalidKeySpecException {
      if (!(spec instanceof PBEKeySpec wanted)) {
        throw new InvalidKeySpecException("a PBEKeySpec is required");
      }
      try {
        return new SecretKeySpec(key(wanted), ALGORITHM);
      } catch (GeneralSecurityException | ExecutionException e) {
        throw new InvalidKeySpecException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InvalidKeySpecException(e);
      }
    }

    /** One login derives a key. Only logins that need the same key wait for it. */
    private byte[] key(PBEKeySpec wanted)
        throws NoSuchAlgorithmException, ExecutionException, InterruptedException {
      String id = id(wanted);
      FutureTask<byte[]> key;
      synchronized (keys) {
        key = keys.computeIfAbsent(id, unseen -> new FutureTask<>(() -> derived(wanted)));
      }
      key.run();
      try {
        return key.get();
      } catch (ExecutionException e) {
        // For example, out of memory. The next login tries again.
        synchronized (keys) {
          keys.remove(id, key);
        }
        throw e;
      }
    }

    private static byte[] derived(PBEKeySpec wanted) throws GeneralSecurityException {
      return SecretKeyFactory.getInstance(ALGORITHM, PLATFORM).generateSecret(wanted).getEncoded();
    }

    private static String id(PBEKeySpec wanted) throws NoSuchAlgorithmException {
      byte[] salt = wanted.getSalt();
      MessageDigest hash = MessageDigest.getInstance("SHA-256");
      hash.update(
          ByteBuffer.allocate(3 * Integer.BYTES)
              .putInt(wanted.getIterationCount())
              .putInt(wanted.getKeyLength())
              .putInt(salt.length)
              .flip());
      hash.update(salt);
      hash.update(String.valueOf(wanted.getPassword()).getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash.digest());
    }

    @Override
    protected KeySpec engineGetKeySpec(SecretKey key, Class<?> spec)
        throws InvalidKeySpecException {
      throw new InvalidKeySpecException("not supported");
    }

    @Override
    protected SecretKey engineTranslateKey(SecretKey key) throws InvalidKeyException {
      throw new InvalidKeyException("not supported");
    }
  }
}
