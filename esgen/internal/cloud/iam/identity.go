package iam

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
)

// Identity is somebody with an access key.
type Identity struct {
	Name                                       string // for people: a function's, or "caller"
	ARN                                        string // as errors and requests name it
	AccessKeyID, SecretAccessKey, SessionToken string
	Policy                                     Policy
}

// NewKeys makes an access key and its secret. The key has letters and digits only, which is what
// DynamoDB Local takes.
func NewKeys(prefix string) (accessKeyID, secret string) {
	var b [28]byte
	_, _ = rand.Read(b[:])
	return prefix + strings.ToUpper(hex.EncodeToString(b[:8])), hex.EncodeToString(b[8:])
}

// Identities are all that have access keys. It is safe for concurrent use.
type Identities struct {
	mu    sync.RWMutex
	byKey map[string]Identity
}

// Add makes an identity known, or replaces it.
func (i *Identities) Add(id Identity) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.byKey == nil {
		i.byKey = map[string]Identity{}
	}
	i.byKey[id.AccessKeyID] = id
}

// Find returns the identity with the access key.
func (i *Identities) Find(accessKeyID string) (Identity, bool) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	id, ok := i.byKey[accessKeyID]
	return id, ok
}

// signer is the access key that an Authorization header names, "" without one.
func signer(h http.Header) string {
	_, rest, ok := strings.Cut(h.Get("Authorization"), "Credential=")
	if !ok {
		return ""
	}
	key, _, _ := strings.Cut(rest, "/")
	return key
}
