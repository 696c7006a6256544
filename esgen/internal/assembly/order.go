package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// order sorts the resources so that each comes after those that it refers to, else by stack
// and logical id.
func (d *Deployment) order() error {
	needs := map[*Resource][]*Resource{}
	for _, r := range d.resources {
		found, err := d.needs(r)
		if err != nil {
			return fmt.Errorf("stack %s: %s: %w", r.Stack.Name, r, err)
		}
		needs[r] = found
	}
	state := map[*Resource]int{} // 1 under way, 2 placed
	var ordered, way []*Resource
	var place func(r *Resource) error
	place = func(r *Resource) error {
		switch state[r] {
		case 1:
			return cycle(append(way[slices.Index(way, r):], r))
		case 2:
			return nil
		}
		state[r] = 1
		way = append(way, r)
		for _, need := range needs[r] {
			if err := place(need); err != nil {
				return err
			}
		}
		way = way[:len(way)-1]
		state[r] = 2
		ordered = append(ordered, r)
		return nil
	}
	for _, r := range d.resources {
		if err := place(r); err != nil {
			return err
		}
	}
	d.resources = ordered
	return nil
}

func cycle(way []*Resource) error {
	var names []string
	for _, r := range way {
		names = append(names, r.LogicalID)
	}
	return fmt.Errorf("resources refer to each other in a circle: %s", strings.Join(names, " → "))
}

// needs are the resources that must exist before this one, without repetition.
func (d *Deployment) needs(r *Resource) ([]*Resource, error) {
	c := references{d: d, seen: map[*Resource]bool{}, outputs: map[export]bool{}}
	ids, err := r.raw.dependsOn()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, declared := r.Stack.template.Resources[id]; !declared {
			return nil, fmt.Errorf("it depends on %s, which the stack does not have", id)
		}
		c.resource(r.Stack, id)
	}
	for _, name := range slices.Sorted(maps.Keys(r.raw.Properties)) {
		if err := c.walk(r.Stack, r.raw.Properties[name].any, 0); err != nil {
			return nil, within(name, err)
		}
	}
	return c.found, nil
}

// references collects what values refer to, across stacks.
type references struct {
	d       *Deployment
	found   []*Resource
	seen    map[*Resource]bool
	outputs map[export]bool
}

func (c *references) resource(s *Stack, logical string) {
	if r := c.d.byID[resourceID{s.Name, logical}]; r != nil && !c.seen[r] {
		c.seen[r] = true
		c.found = append(c.found, r)
	}
}

func (c *references) walk(s *Stack, v any, depth int) error {
	if depth > maxDepth {
		return errDeep
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if err := c.walk(s, item, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		if name, argument, ok := intrinsic(v); ok {
			if err := c.call(s, name, argument, depth); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := c.walk(s, v[name], depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *references) call(s *Stack, name string, argument any, depth int) error {
	switch name {
	case "Ref":
		if logical, ok := argument.(string); ok {
			c.resource(s, logical)
		}
	case "Fn::GetAtt":
		if logical, _, err := attributeOf(argument); err == nil {
			c.resource(s, logical)
		}
	case "Fn::Sub":
		if list, ok := argument.([]any); ok && len(list) > 0 {
			argument = list[0]
		}
		text, _ := argument.(string)
		for _, part := range strings.Split(text, "${")[1:] {
			variable, _, _ := strings.Cut(part, "}")
			logical, _, _ := strings.Cut(variable, ".")
			c.resource(s, logical)
		}
	case "Fn::ImportValue":
		if exported, err := c.d.in(s).textAt(argument, depth); err == nil {
			if e, ok := c.d.exports[exported]; ok {
				return c.output(e, depth)
			}
		}
	case "Fn::GetStackOutput":
		if of, output, err := c.d.in(s).outputNamed(argument, depth); err == nil {
			return c.output(export{of, output}, depth)
		}
	}
	return nil // what is wrong with an argument shows when it is resolved
}

func (c *references) output(e export, depth int) error {
	if c.outputs[e] {
		return nil
	}
	c.outputs[e] = true
	return c.walk(e.stack, e.stack.template.Outputs[e.output].Value.any, depth+1)
}
