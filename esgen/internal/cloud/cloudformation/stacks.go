package cloudformation

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/esgen/esgen/esgen/internal/cloud/query"
)

// Stack is what can be told of a stack.
type Stack struct {
	Name, ID   string
	Status     string // "CREATE_COMPLETE"
	Created    time.Time
	Outputs    []Output
	Parameters map[string]string
	Tags       map[string]string
}

// Output is one output of a stack.
type Output struct {
	Key, Value, Description, ExportName string
}

// Stacks answers DescribeStacks. It is an http.Handler and safe for concurrent use.
type Stacks struct {
	mu     sync.Mutex
	stacks map[string]Stack // by name
}

// NewStacks returns one without stacks.
func NewStacks() *Stacks { return &Stacks{stacks: map[string]Stack{}} }

// Put adds a stack, or takes the place of the one of its name.
func (s *Stacks) Put(stack Stack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stacks[stack.Name] = stack
}

const (
	namespace  = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
	maxRequest = 1 << 20
)

// ServeHTTP answers DescribeStacks of the Query protocol. Signatures are not checked.
func (s *Stacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, action, f := query.Read(w, r, maxRequest)
	if f == nil && action != "DescribeStacks" {
		f = &query.Failure{Code: "InvalidAction", Message: fmt.Sprintf("the operation %.64q is not honoured by this stand-in", action), Status: 400}
	}
	var name string
	if f == nil {
		name = form.Take("StackName")
		f = form.Rest()
	}
	var result describeResult
	if f == nil {
		result, f = s.describe(name)
	}
	if f != nil {
		query.Refuse(w, namespace, f)
		return
	}
	query.Answer(w, namespace, action, result)
}

type describeResult struct {
	Stacks struct {
		Members []shownStack `xml:"member"`
	}
}

type shownStack struct {
	StackName, StackId, StackStatus, CreationTime string
	DisableRollback                               bool
	Outputs                                       struct {
		Members []shownOutput `xml:"member"`
	}
	Parameters struct {
		Members []shownParameter `xml:"member"`
	}
	Tags struct {
		Members []shownTag `xml:"member"`
	}
}

type shownOutput struct {
	OutputKey, OutputValue string
	Description            string `xml:",omitempty"`
	ExportName             string `xml:",omitempty"`
}

type shownParameter struct{ ParameterKey, ParameterValue string }

type shownTag struct{ Key, Value string }

// describe finds a stack by its name or id; all without either.
func (s *Stacks) describe(name string) (describeResult, *query.Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var result describeResult
	for _, key := range slices.Sorted(maps.Keys(s.stacks)) {
		if stack := s.stacks[key]; name == "" || name == stack.Name || name == stack.ID {
			result.Stacks.Members = append(result.Stacks.Members, stack.shown())
		}
	}
	if name != "" && len(result.Stacks.Members) == 0 {
		return result, &query.Failure{Code: "ValidationError", Message: fmt.Sprintf("Stack with id %.128s does not exist", name), Status: 400}
	}
	return result, nil
}

func (s Stack) shown() shownStack {
	out := shownStack{StackName: s.Name, StackId: s.ID, StackStatus: s.Status, CreationTime: s.Created.UTC().Format("2006-01-02T15:04:05.000Z")}
	for _, o := range s.Outputs {
		out.Outputs.Members = append(out.Outputs.Members, shownOutput{o.Key, o.Value, o.Description, o.ExportName})
	}
	for _, key := range slices.Sorted(maps.Keys(s.Parameters)) {
		out.Parameters.Members = append(out.Parameters.Members, shownParameter{key, s.Parameters[key]})
	}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		out.Tags.Members = append(out.Tags.Members, shownTag{key, s.Tags[key]})
	}
	return out
}
