package up

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/mapping"
)

// anew are the types of which an update makes another one even of what has not changed: a function's
// role goes with its code.
var anew = map[string]bool{"AWS::IAM::Role": true, "AWS::IAM::Policy": true, "AWS::Lambda::Function": true,
	"AWS::Scheduler::Schedule": true, // which names a role
}

// Update brings the stand to another assembly of the same stacks, as CloudFormation does: what has the
// same logical id and properties stays, with what is in it; functions get their new code under their name;
// a mapping of another source is made anew, from its beginning; what is no longer declared goes after
// its stack is up to date, unless it is to be retained. Anything else that differs is
// refused. Functions and addresses serve meanwhile; no other call may be made that names parts of the stand.
// After an error the stand is of use for nothing but Close.
func (s *Stand) Update(ctx context.Context, dir string) error {
	o := s.options
	o.Dir = dir
	next, err := prepare(o)
	if err != nil {
		return err
	}
	if err := next.deployment.Rehearse(func(r *assembly.Resource, p *assembly.Reader) { next.maker(r)(next, p) }); err != nil {
		return err
	}
	s.former, s.deployment = s.deployment, next.deployment
	defer func() { s.former = nil }()
	for _, stack := range s.deployment.Stacks() {
		if err := s.updateStack(ctx, stack); err != nil {
			return fmt.Errorf("update of %s: %w", stack.Name, err)
		}
	}
	if err := s.checkSubscriptions(); err != nil {
		return err
	}
	if err := s.conclude(); err != nil {
		return err
	}
	s.startSchedules()
	return nil
}

// before is a resource as it was before the update, nil if it was not there.
func (s *Stand) before(r *assembly.Resource) *assembly.Resource {
	if s.former == nil {
		return nil
	}
	if before := s.former.Find(r.Stack.Name, r.LogicalID); before != nil && before.Type == r.Type {
		return before
	}
	return nil
}

func (s *Stand) updateStack(ctx context.Context, stack *assembly.Stack) error {
	var replaced []*assembly.Resource
	for _, r := range s.deployment.Resources() {
		if r.Stack != stack {
			continue
		}
		before := s.before(r)
		kept, err := s.keep(r, before)
		if err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
		if kept {
			continue
		}
		if before != nil && !anew[r.Type] {
			replaced = append(replaced, before)
		}
		create := s.maker(r)(s, s.deployment.Read(r))
		if err := s.deployment.Err(); err != nil {
			return err
		}
		if err := create(ctx); err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
	}
	return s.remove(ctx, append(s.undeclared(stack), replaced...))
}

// keep has a resource stay what it is, if it may.
func (s *Stand) keep(r, before *assembly.Resource) (bool, error) {
	if before == nil || anew[r.Type] {
		return false, nil
	}
	now, was := s.deployment.Read(r), s.former.Read(before)
	if now == nil || was == nil {
		return false, fmt.Errorf("its properties cannot be resolved: %w", s.deployment.Err())
	}
	switch {
	case now.Same(was) || withoutBehaviour[r.Type]:
		r.Kept(before)
		return true, nil
	case r.Type == "AWS::Lambda::EventSourceMapping" && now.String("EventSourceArn") != was.String("EventSourceArn"):
		return false, nil
	}
	return false, fmt.Errorf("a resource of this type cannot be changed here")
}

// undeclared are the resources that a stack no longer has, the last created first.
func (s *Stand) undeclared(stack *assembly.Stack) (gone []*assembly.Resource) {
	for _, r := range slices.Backward(s.former.Resources()) {
		if now := s.deployment.Find(r.Stack.Name, r.LogicalID); r.Stack.Name == stack.Name && (now == nil || now.Type != r.Type) {
			gone = append(gone, r)
		}
	}
	return gone
}

func (s *Stand) remove(ctx context.Context, gone []*assembly.Resource) error {
	for _, r := range gone {
		switch {
		case r.Type == "AWS::Scheduler::Schedule":
			s.replaceSchedule(r.Path, nil)
		case r.Retained() || anew[r.Type] && r.Type != "AWS::Lambda::Function" || withoutBehaviour[r.Type]:
		case r.Type == "AWS::Lambda::EventSourceMapping":
			s.removeMapping(r.Ref())
		case r.Type == "AWS::DynamoDB::GlobalTable":
			if err := s.removeTable(ctx, r); err != nil {
				return fmt.Errorf("%s: %w", r, err)
			}
		default:
			return fmt.Errorf("%s: a resource of this type cannot be removed here", r)
		}
	}
	return nil
}

func (s *Stand) removeMapping(uuid string) {
	for function, all := range s.Mappings {
		s.Mappings[function] = slices.DeleteFunc(all, func(m *mapping.Mapping) bool {
			if m.UUID() != uuid {
				return false
			}
			s.registry.Remove(m)
			return true
		})
	}
}

func (s *Stand) removeTable(ctx context.Context, r *assembly.Resource) error {
	name := r.Ref()
	if _, err := s.tables.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
		return err
	}
	s.created = slices.DeleteFunc(s.created, func(table string) bool { return table == name })
	delete(s.Tables, strings.TrimSuffix(r.Path, "/Resource"))
	return nil
}
