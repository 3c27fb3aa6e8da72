package io.github.pgendpoints.kubernetes.election;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class CandidateTest {
  private static final Map<String, String> POD =
      Map.of("HOSTNAME", "pem-1", "POD_UID", "7d5f1c9e-0001");

  @Test
  void eachProcessHasAUniqueName() {
    assertNotEquals(Candidate.of(POD, 1).identity(), Candidate.of(POD, 1).identity());
    assertTrue(Candidate.of(Map.of("HOSTNAME", "a"), 7).identity().matches("a_[0-9a-f]{8}"));
    assertTrue(Candidate.of(Map.of(), 7).identity().matches("replica_[0-9a-f]{8}"));
  }

  @Test
  void theFirstProcessOfAPodSucceedsTheOneBefore() {
    String before = Candidate.of(POD, 1).identity();

    assertTrue(Candidate.of(POD, 1).succeeds(before));
    assertTrue(before.startsWith("pem-1_"), before);
  }

  @Test
  void aProcessDoesNotSucceedItself() {
    Candidate candidate = Candidate.of(POD, 1);

    assertFalse(candidate.succeeds(candidate.identity()));
  }

  /** Two pods that use the network of one machine have the same host name. */
  @Test
  void aPodDoesNotSucceedAnotherOneOfTheSameHostName() {
    Map<String, String> other = Map.of("HOSTNAME", "pem-1", "POD_UID", "7d5f1c9e-0002");

    assertFalse(Candidate.of(other, 1).succeeds(Candidate.of(POD, 1).identity()));
  }

  /** For example, {@code kubectl exec} starts a second process beside the first. */
  @Test
  void aSecondProcessDoesNotSucceed() {
    assertFalse(Candidate.of(POD, 42).succeeds(Candidate.of(POD, 1).identity()));
    assertFalse(Candidate.of(POD, 1).succeeds(Candidate.of(POD, 42).identity()));
  }

  @Test
  void nothingSucceedsOutsideAPod() {
    Map<String, String> workstation = Map.of("HOSTNAME", "pem-1");

    assertFalse(Candidate.of(workstation, 1).succeeds(Candidate.of(workstation, 1).identity()));
    assertFalse(Candidate.of(Map.of("POD_UID", ""), 1).succeeds("replica_12345678"));
    assertEquals(
        Candidate.of(workstation, 1).identity().length(),
        Candidate.of(workstation, 2).identity().length());
  }
}
