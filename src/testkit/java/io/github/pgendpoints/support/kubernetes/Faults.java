package io.github.pgendpoints.support.kubernetes;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** The faults that a test has set. Test threads write them while the server reads them. */
final class Faults {

  private record Denial(String verb, String resource, String name) {
    boolean covers(ApiRequest request) {
      return verb.equals(request.verb())
          && resource.equals(request.target().resource())
          && (name == null || name.equals(request.target().name()));
    }
  }

  private record Failure(int code, Integer retryAfter, Predicate<ApiRequest> matches) {}

  private record Raw(RawFault fault, Predicate<String> matches) {}

  private record Hook(Predicate<ApiRequest> matches, Runnable action) {}

  private final Map<String, Set<String>> granted = new HashMap<>();
  private final List<Denial> denials = new ArrayList<>();
  private final List<Failure> failures = new ArrayList<>();
  private final List<Raw> raws = new ArrayList<>();
  private final List<Hook> hooks = new ArrayList<>();
  private Duration delay = Duration.ZERO;
  private boolean hanging;
  private String token;
  private boolean deniesAnonymous;
  private RoleRules role;

  synchronized void clear() {
    granted.clear();
    denials.clear();
    failures.clear();
    raws.clear();
    hooks.clear();
    delay = Duration.ZERO;
    hanging = false;
    deniesAnonymous = false;
    role = null;
  }

  synchronized void enforce(RoleRules rules) {
    role = rules;
  }

  synchronized void deny(String verb, String resource, String name) {
    denials.add(new Denial(verb, resource, name));
  }

  synchronized void grantOnly(String resource, Set<String> names) {
    granted.put(resource, names);
  }

  /** Whether a request is granted. As for resourceNames of a Role, a create needs no name. */
  private boolean isGranted(ApiRequest request) {
    Set<String> names = granted.get(request.target().resource());
    String name = request.nameForRbac();
    return (role == null || role.grants(request))
        && (names == null
            || request.verb().equals("create")
            || name != null && names.contains(name));
  }

  /**
   * @param retryAfter in seconds; null for a response without it
   */
  synchronized void fail(int times, int code, Integer retryAfter, Predicate<ApiRequest> matches) {
    failures.addAll(Collections.nCopies(times, new Failure(code, retryAfter, matches)));
  }

  synchronized void raw(int times, RawFault fault, Predicate<String> matches) {
    raws.addAll(Collections.nCopies(times, new Raw(fault, matches)));
  }

  synchronized boolean hasRaw() {
    return !raws.isEmpty();
  }

  /** Returns the fault for a request as received from the client, and removes it. */
  synchronized Optional<RawFault> takeRaw(String request) {
    return take(raws, raw -> raw.matches().test(request)).map(Raw::fault);
  }

  synchronized void beforeNext(Predicate<ApiRequest> matches, Runnable action) {
    hooks.add(new Hook(matches, action));
  }

  synchronized void delay(Duration duration) {
    delay = duration;
  }

  synchronized Duration delay() {
    return delay;
  }

  synchronized void hang() {
    hanging = true;
  }

  synchronized boolean isHanging() {
    return hanging;
  }

  synchronized void denyAnonymous() {
    deniesAnonymous = true;
  }

  synchronized void requireToken(String required) {
    token = required;
  }

  /** Returns the next hook for the request, and removes it. */
  synchronized Optional<Runnable> takeHook(ApiRequest request) {
    return take(hooks, hook -> hook.matches().test(request)).map(Hook::action);
  }

  /** Rejects the request as the checks before the storage would, in their order. */
  synchronized void check(ApiRequest request, String user) {
    take(failures, failure -> failure.matches().test(request))
        .ifPresent(
            failure -> {
              throw ApiException.injected(failure.code(), failure.retryAfter());
            });
    if (token != null && !("Bearer " + token).equals(request.authorization())) {
      throw ApiException.unauthorized();
    }
    if (deniesAnonymous && request.authorization() == null) {
      throw ApiException.forbidden("system:anonymous", request);
    }
    if (!isGranted(request) || denials.stream().anyMatch(denial -> denial.covers(request))) {
      throw ApiException.forbidden(user, request);
    }
  }

  private static <T> Optional<T> take(List<T> list, Predicate<T> matches) {
    Optional<T> found = list.stream().filter(matches).findFirst();
    found.ifPresent(list::remove);
    return found;
  }
}
