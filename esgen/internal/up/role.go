package up

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/iam"
)

// role is a role with its policies, and who has it.
type role struct {
	name  string
	trust []byte // who may take it on: a policy

	mu        sync.Mutex
	policy    iam.Policy
	functions []iam.Identity
}

// managed are AWS's own policies that allow only what has no behaviour here: to write logs.
var managed = []string{":aws:policy/service-role/AWSLambdaBasicExecutionRole", ":aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"}

func makeRole(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	name := p.String("RoleName")
	trust := p.JSON("AssumeRolePolicyDocument")
	p.Ignore("Description", "MaxSessionDuration", "Path", "Tags")
	for _, arn := range p.Strings("ManagedPolicyArns") {
		if !slices.ContainsFunc(managed, func(known string) bool { return strings.HasSuffix(arn, known) }) {
			p.Refuse("ManagedPolicyArns", "%s: what it allows is not known here; name the actions", arn)
		}
	}
	var policy iam.Policy
	for _, inline := range p.Objects("Policies") {
		inline.Ignore("PolicyName")
		policy = append(policy, policyIn(inline)...)
	}
	return func(context.Context) error {
		name := or(name, s.physical(r, 64))
		arn := "arn:aws:iam::" + s.Account + ":role/" + name
		s.roles[arn] = &role{name: name, trust: trust, policy: policy}
		r.Created(name, map[string]any{"Arn": arn, "RoleId": "AROA" + name})
		return nil
	}
}

func makePolicy(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	p.Ignore("PolicyName")
	policy, names := policyIn(p), p.Strings("Roles")
	return func(context.Context) error {
		for _, name := range names {
			role := s.roles["arn:aws:iam::"+s.Account+":role/"+name]
			if role == nil {
				return fmt.Errorf("the role %s is not one of the stacks here", name)
			}
			s.attach(role, policy)
		}
		r.Created(s.physical(r, 128), nil)
		return nil
	}
}

// policyIn takes a PolicyDocument.
func policyIn(p *assembly.Reader) iam.Policy {
	policy, err := iam.Parse(p.JSON("PolicyDocument"))
	if err != nil {
		p.Refuse("PolicyDocument", "%v", err)
	}
	return policy
}

// attach adds statements to a role, also for functions that have it already.
func (s *Stand) attach(r *role, policy iam.Policy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy = append(r.policy, policy...)
	for _, id := range r.functions {
		id.Policy = slices.Clone(r.policy)
		s.identities.Add(id)
	}
}

// assume gives a function an identity of its own with the role's policies.
func (s *Stand) assume(r *role, function, shown string) iam.Identity {
	r.mu.Lock()
	defer r.mu.Unlock()
	key, secret := iam.NewKeys("ESGENFUNCTION")
	_, token := iam.NewKeys("")
	id := iam.Identity{
		Name: shown, ARN: "arn:aws:sts::" + s.Account + ":assumed-role/" + r.name + "/" + function,
		AccessKeyID: key, SecretAccessKey: secret, SessionToken: token, Policy: slices.Clone(r.policy),
	}
	r.functions = append(r.functions, id)
	s.identities.Add(id)
	return id
}

// lacks is the first of actions on a resource that the role does not allow, "" if it allows all.
func (r *role) lacks(resource string, actions ...string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, action := range actions {
		if !r.policy.Allows(action, resource) {
			return action + " on " + resource
		}
	}
	return ""
}
