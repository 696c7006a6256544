package iam

import "sync"

// Access is one thing that a request would do.
type Access struct {
	Action   string // "dynamodb:PutItem"
	Resource string // an ARN
}

// Denial is a request that was refused.
type Denial struct {
	Identity string // its name; the access key where nobody has it
	Access
}

// maxDenials is how many are kept; a function that is denied tries again without end.
const maxDenials = 1000

// Denials are what was refused so far. It is safe for concurrent use.
type Denials struct {
	mu   sync.Mutex
	list []Denial
}

func (d *Denials) add(denial Denial) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.list) < maxDenials {
		d.list = append(d.list, denial)
	}
}

// List is all of them, the oldest first; only the first thousand are kept.
func (d *Denials) List() []Denial {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Denial(nil), d.list...)
}

// deniedBy is the first access that the identity's policy does not allow, nil if it allows all.
func (id Identity) deniedBy(accesses []Access) *Access {
	for i, a := range accesses {
		if !id.Policy.Allows(a.Action, a.Resource) {
			return &accesses[i]
		}
	}
	return nil
}

// refusal is what AWS says.
func (id Identity) refusal(a Access) string {
	why := "because no identity-based policy allows the " + a.Action + " action"
	for _, s := range id.Policy {
		if s.Deny && s.matches(a.Action, a.Resource) {
			why = "with an explicit deny in an identity-based policy"
		}
	}
	return "User: " + id.ARN + " is not authorized to perform: " + a.Action + " on resource: " + a.Resource + " " + why
}
