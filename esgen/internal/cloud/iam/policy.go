// Package iam enforces the policies of roles: in front of a service it looks at each request,
// finds who sent it and what it would do to which resources, and lets it through only if the
// sender's policy allows that. So a policy that is too narrow fails here and not in the cloud.
package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Policy is what an identity may do. The zero Policy allows nothing.
type Policy []Statement

// Statement allows or denies actions on resources. Both have the wildcards * and ?.
type Statement struct {
	Deny      bool
	Actions   []string
	Resources []string
}

// Everything is the policy of an administrator.
func Everything() Policy { return Policy{{Actions: []string{"*"}, Resources: []string{"*"}}} }

// Parse reads an identity's policy document. What is not evaluated here (conditions, NotAction,
// NotResource) is an error: to ignore it would prove nothing.
func Parse(document []byte) (Policy, error) {
	var d struct {
		Version   string
		ID        string `json:"Id"`
		Statement oneOrMore[json.RawMessage]
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return nil, fmt.Errorf("no policy document: %w", err)
	}
	if len(d.Statement) == 0 {
		return nil, errors.New("the policy document has no statement")
	}
	var p Policy
	for i, raw := range d.Statement {
		s, err := parseStatement(raw)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i, err)
		}
		p = append(p, s)
	}
	return p, nil
}

func parseStatement(raw json.RawMessage) (Statement, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return Statement{}, err
	}
	var s Statement
	for name, value := range members {
		var err error
		switch name {
		case "Sid":
		case "Effect":
			var effect string
			err = json.Unmarshal(value, &effect)
			if s.Deny = effect == "Deny"; err == nil && !s.Deny && effect != "Allow" {
				err = errors.New("neither Allow nor Deny")
			}
		case "Action":
			err = json.Unmarshal(value, (*oneOrMore[string])(&s.Actions))
		case "Resource":
			err = json.Unmarshal(value, (*oneOrMore[string])(&s.Resources))
		default:
			err = errors.New("it is not evaluated here")
		}
		if err != nil {
			return Statement{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	if members["Effect"] == nil || len(s.Actions) == 0 || len(s.Resources) == 0 {
		return Statement{}, errors.New("the members Effect, Action and Resource are needed")
	}
	return s, nil
}

// oneOrMore is a list that may be written as its only item.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '[' {
		return json.Unmarshal(text, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	*l = []T{one}
	return nil
}

// Allows reports whether the action on the resource is allowed: a statement allows it and none
// denies it. Actions are compared without case.
func (p Policy) Allows(action, resource string) bool {
	allowed := false
	for _, s := range p {
		if !s.matches(action, resource) {
			continue
		}
		if s.Deny {
			return false
		}
		allowed = true
	}
	return allowed
}

func (s Statement) matches(action, resource string) bool {
	return anyMatches(s.Actions, action, true) && anyMatches(s.Resources, resource, false)
}

func anyMatches(patterns []string, text string, foldCase bool) bool {
	for _, p := range patterns {
		if foldCase {
			p, text = strings.ToLower(p), strings.ToLower(text)
		}
		if Matches(p, text) {
			return true
		}
	}
	return false
}

// Matches reports whether a text matches a pattern in which * stands for any characters and ?
// for one. It takes time in the product of the lengths at most.
func Matches(pattern, text string) bool {
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
