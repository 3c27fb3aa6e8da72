package io.github.pgendpoints.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;

class NodeTest {
  private final Node node = new Node("pg1", 5432, "pg1", "10.0.0.1");

  @Test
  void equalPartsMakeEqualNodes() {
    Node same = new Node("pg1", 5432, "pg1", "10.0.0.1");
    assertEquals(node, same);
    assertEquals(node.hashCode(), same.hashCode());
  }

  @Test
  void eachPartMakesAnotherNode() {
    assertNotEquals(node, new Node("pg2", 5432, "pg1", "10.0.0.1"));
    assertNotEquals(node, new Node("pg1", 5433, "pg1", "10.0.0.1"));
    assertNotEquals(node, new Node("pg1", 5432, "pg1:5432", "10.0.0.1"));
    assertNotEquals(node, new Node("pg1", 5432, "pg1", "10.0.0.2"));
    assertNotEquals(node, new Node("pg1", 5432, "pg1"));
  }
}
