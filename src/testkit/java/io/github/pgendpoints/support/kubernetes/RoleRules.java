package io.github.pgendpoints.support.kubernetes;

import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The rights that a Role grants, one by one, as RBAC reads its rules. */
public final class RoleRules {

  /**
   * One verb on one resource.
   *
   * @param name the name of the only object granted; null for all objects
   */
  public record Grant(String group, String resource, String name, String verb) {
    boolean covers(ApiRequest request) {
      ApiRequest.Target target = request.target();
      String asked =
          target.subresource() == null
              ? target.resource()
              : target.resource() + "/" + target.subresource();
      return group.equals(target.group())
          && resource.equals(asked)
          && verb.equals(request.verb())
          // RBAC ignores the name of an object that does not exist yet.
          && (name == null
              || !request.verb().equals("create") && name.equals(request.nameForRbac()));
    }
  }

  private final Set<Grant> grants = new LinkedHashSet<>();

  public RoleRules(Role role) {
    role.getRules().forEach(this::add);
  }

  private void add(PolicyRule rule) {
    for (String group : rule.getApiGroups()) {
      for (String resource : rule.getResources()) {
        for (String verb : rule.getVerbs()) {
          if (rule.getResourceNames().isEmpty()) {
            grants.add(new Grant(group, resource, null, verb));
          }
          rule.getResourceNames()
              .forEach(name -> grants.add(new Grant(group, resource, name, verb)));
        }
      }
    }
  }

  /** Whether the request is allowed; paths that name no resource are open to all users. */
  boolean grants(ApiRequest request) {
    return request.target().resource() == null
        || grants.stream().anyMatch(grant -> grant.covers(request));
  }

  /** Returns the grants that none of the requests needs. */
  public List<Grant> unused(Collection<ApiRequest> requests) {
    return grants.stream().filter(grant -> requests.stream().noneMatch(grant::covers)).toList();
  }
}
