package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Options say into what the stacks are deployed.
type Options struct {
	// Stacks names the stacks to deploy; those that they depend on come along. None is all.
	Stacks          []string
	Region, Account string // for stacks that are for any
}

// Deployment is stacks in the course of being created. Who creates a resource tells it with
// Created; references to it resolve from then on. It is not safe for concurrent use.
type Deployment struct {
	Problems
	options   Options
	stacks    []*Stack // dependencies first
	resources []*Resource
	byID      map[resourceID]*Resource
	exports   map[string]export
	dry       bool
	steps     int
}

type resourceID struct{ stack, logical string }

type export struct {
	stack  *Stack
	output string
}

// Resource is one resource of a stack.
type Resource struct {
	Stack     *Stack
	LogicalID string
	Type      string
	Path      string // construct path, or the logical id where the assembly does not say

	raw        rawResource
	created    bool
	ref        string
	attributes map[string]any
}

// String names the resource for messages.
func (r *Resource) String() string {
	return fmt.Sprintf("%s (%s, %s)", r.Path, r.LogicalID, r.Type)
}

// Created says what references to the resource give: its Ref, and its attributes (strings, or
// lists of strings).
func (r *Resource) Created(ref string, attributes map[string]any) {
	r.created, r.ref, r.attributes = true, ref, attributes
}

// Deploy chooses stacks and puts their resources in order. Conditions are decided here.
func (a *Assembly) Deploy(o Options) (*Deployment, error) {
	d := &Deployment{options: o, byID: map[resourceID]*Resource{}, exports: map[string]export{}}
	if err := d.choose(a); err != nil {
		return nil, err
	}
	for _, s := range d.stacks {
		if s.template.Transform.any != nil {
			return nil, fmt.Errorf("stack %s: it uses a transform, which only CloudFormation can run", s.Name)
		}
		if err := d.collect(s); err != nil {
			return nil, err
		}
	}
	if err := d.order(); err != nil {
		return nil, err
	}
	return d, nil
}

// choose takes the stacks that are asked for and what they depend on.
func (d *Deployment) choose(a *Assembly) error {
	byName, byArtifact := map[string]*Stack{}, map[string]*Stack{}
	for _, s := range a.Stacks {
		byName[s.Name], byArtifact[s.artifact] = s, s
	}
	names := d.options.Stacks
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(byName))
	}
	state := map[*Stack]int{} // 1 under way, 2 chosen
	var take func(s *Stack) error
	take = func(s *Stack) error {
		switch state[s] {
		case 1:
			return fmt.Errorf("stack %s depends on itself", s.Name)
		case 2:
			return nil
		}
		state[s] = 1
		for _, id := range slices.Sorted(slices.Values(s.dependencies)) {
			if dep := byArtifact[id]; dep != nil {
				if err := take(dep); err != nil {
					return err
				}
			}
		}
		state[s] = 2
		d.stacks = append(d.stacks, s)
		return nil
	}
	for _, name := range names {
		s := byName[name]
		if s == nil {
			return fmt.Errorf("%s: no stack is named %s; there are: %s", a.Dir, name, strings.Join(slices.Sorted(maps.Keys(byName)), ", "))
		}
		if err := take(s); err != nil {
			return err
		}
	}
	return nil
}

// collect makes a stack's resources and exports known.
func (d *Deployment) collect(s *Stack) error {
	x := d.in(s)
	for _, logical := range slices.Sorted(maps.Keys(s.template.Resources)) {
		raw := s.template.Resources[logical]
		if raw.Type == "" {
			return fmt.Errorf("stack %s: the resource %s has no type", s.Name, logical)
		}
		if raw.Type == "AWS::CDK::Metadata" {
			continue
		}
		if there, err := x.condition(raw.Condition); err != nil {
			return fmt.Errorf("stack %s: %s: %w", s.Name, logical, err)
		} else if !there {
			continue
		}
		r := &Resource{Stack: s, LogicalID: logical, Type: raw.Type, raw: raw, Path: logical}
		if p := s.paths[logical]; p != "" {
			r.Path = p
		}
		if p, ok := raw.Metadata["aws:cdk:path"].any.(string); ok {
			r.Path = p
		}
		d.resources = append(d.resources, r)
		d.byID[resourceID{s.Name, logical}] = r
	}
	for name, o := range s.template.Outputs {
		if o.Export.Name.any == nil {
			continue
		}
		if there, err := x.condition(o.Condition); err != nil || !there {
			if err != nil {
				return fmt.Errorf("stack %s: output %s: %w", s.Name, name, err)
			}
			continue
		}
		exported, err := x.text(o.Export.Name.any)
		if err != nil {
			return fmt.Errorf("stack %s: the export name of the output %s: %w", s.Name, name, err)
		}
		if other, ok := d.exports[exported]; ok {
			return fmt.Errorf("stacks %s and %s both export %s", other.stack.Name, s.Name, exported)
		}
		d.exports[exported] = export{s, name}
	}
	return nil
}

// Resources are all resources, each after those that it refers to.
func (d *Deployment) Resources() []*Resource { return d.resources }

// Find returns the resource with the logical id in a stack, nil when there is none.
func (d *Deployment) Find(stack, logical string) *Resource {
	return d.byID[resourceID{stack, logical}]
}

// Stacks are the deployed stacks, each after those that it depends on.
func (d *Deployment) Stacks() []*Stack { return d.stacks }

// Rehearse calls read for each resource before any is created: references give placeholders.
// So everything that is unsupported is known, all at once, before anything has happened.
func (d *Deployment) Rehearse(read func(*Resource, *Reader)) error {
	d.dry = true
	defer func() { d.dry = false }()
	for _, r := range d.resources {
		if properties := d.Read(r); properties != nil {
			read(r, properties)
			properties.Done()
		}
	}
	return d.Err()
}

// Read resolves the properties of a resource; nil when they cannot be, which is a problem of
// the deployment's.
func (d *Deployment) Read(r *Resource) *Reader {
	x := d.in(r.Stack)
	members := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(r.raw.Properties)) {
		v, err := x.resolve(r.raw.Properties[name].any, 0)
		if err != nil {
			d.add(r, name, err.Error())
			return nil
		}
		if v != (noValue{}) {
			members[name] = v
		}
	}
	return &Reader{members: members, resource: r, problems: &d.Problems}
}

// Outputs are a stack's outputs, by name.
func (d *Deployment) Outputs(stack string) (map[string]string, error) {
	outputs := map[string]string{}
	for _, s := range d.stacks {
		if s.Name != stack {
			continue
		}
		x := d.in(s)
		for name, o := range s.template.Outputs {
			if there, err := x.condition(o.Condition); err != nil {
				return nil, fmt.Errorf("stack %s: output %s: %w", stack, name, err)
			} else if !there {
				continue
			}
			text, err := x.text(o.Value.any)
			if err != nil {
				return nil, fmt.Errorf("stack %s: output %s: %w", stack, name, err)
			}
			outputs[name] = text
		}
	}
	return outputs, nil
}
