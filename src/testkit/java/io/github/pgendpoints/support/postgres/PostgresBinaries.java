package io.github.pgendpoints.support.postgres;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * The PostgreSQL server programs, unpacked from zonky's archive on the class path.
 *
 * <p>The archive is unpacked once for each build of PostgreSQL, and the files stay for later runs.
 * The folder is created by a rename, so that neither a killed run nor a concurrent one leaves a
 * partial folder to other runs.
 *
 * @param folder the folder that holds {@code bin}, {@code lib} and {@code share}
 */
record PostgresBinaries(Path folder) {
  private static final class Once {
    static final PostgresBinaries UNPACKED = unpack();
  }

  static PostgresBinaries unpacked() {
    return Once.UNPACKED;
  }

  Path initdb() {
    return folder.resolve("bin/initdb");
  }

  Path postgres() {
    return folder.resolve("bin/postgres");
  }

  private static PostgresBinaries unpack() {
    try (InputStream resource =
        DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(
            "Linux", System.getProperty("os.arch"))) {
      byte[] archive = resource.readAllBytes();
      // One folder per user: no user should run files that another user put in a shared folder.
      String name =
          "postgres-binaries-" + System.getProperty("user.name") + "-" + fingerprint(archive);
      Path temp = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
      Path folder = temp.resolve(name);
      if (!Files.isDirectory(folder)) {
        Path unfinished = Files.createTempDirectory(temp, name + "-");
        unpack(archive, unfinished);
        publish(unfinished, folder);
      }
      return new PostgresBinaries(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unpack the PostgreSQL binaries", e);
    }
  }

  private static void publish(Path unfinished, Path folder) throws IOException {
    try {
      Files.move(unfinished, folder, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      OperatingSystem.delete(unfinished);
      if (!Files.isDirectory(folder)) {
        throw e;
      }
      // Another run was first; its copy is equally good.
    }
  }

  private static void unpack(byte[] archive, Path folder) throws IOException {
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(new XZCompressorInputStream(new ByteArrayInputStream(archive)))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        Path path = folder.resolve(entry.getName());
        if (entry.isDirectory()) {
          Files.createDirectories(path);
          continue;
        }
        Files.createDirectories(path.getParent());
        if (entry.isSymbolicLink()) {
          Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
        } else if (entry.isFile()) {
          Files.copy(tar, path);
          boolean executable = (entry.getMode() & 0100) != 0;
          permit(path, executable ? "rwxr-xr-x" : "rw-r--r--");
        }
      }
    }
    // Set regardless of the umask: the servers may run as a different user than the tests.
    try (var paths = Files.walk(folder)) {
      for (Path path : paths.filter(Files::isDirectory).toList()) {
        permit(path, "rwxr-xr-x");
      }
    }
  }

  private static void permit(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  private static String fingerprint(byte[] archive) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(archive);
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
