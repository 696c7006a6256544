package gateway

import (
	"sync"

	"github.com/esgen/esgen/esgen/internal/cloud/iam"
)

// Permissions say from where a gateway may invoke which function, as resources of type
// AWS::Lambda::Permission do. They are safe for concurrent use.
type Permissions struct {
	mu      sync.RWMutex
	sources map[string][]string // function ARN -> patterns
}

// Grant lets the gateway invoke a function from sources that match the ARN pattern; "" is any.
func (p *Permissions) Grant(functionARN, sourceARN string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sources == nil {
		p.sources = map[string][]string{}
	}
	if sourceARN == "" {
		sourceARN = "*"
	}
	p.sources[functionARN] = append(p.sources[functionARN], sourceARN)
}

// Allow reports whether a source may invoke a function.
func (p *Permissions) Allow(functionARN, sourceARN string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, pattern := range p.sources[functionARN] {
		if iam.Matches(pattern, sourceARN) {
			return true
		}
	}
	return false
}
