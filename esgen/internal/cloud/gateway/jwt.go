package gateway

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha512" // for RS384 and RS512
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds on tokens and on what issuers answer.
const (
	maxToken   = 16 << 10
	maxFetched = 1 << 20
	fetchTime  = 10 * time.Second
	keysFor    = 2 * time.Hour // what API Gateway keeps keys for
	fetchAgain = 5 * time.Second
)

// algorithms that API Gateway takes: those of RSA only.
var algorithms = map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}

var errToken = errors.New("the token is malformed")

// keys are the public keys of an issuer, fetched when they are needed.
type keys struct {
	client *http.Client
	issuer string

	mu      sync.Mutex
	byID    map[string]*rsa.PublicKey
	fetched time.Time
}

func newKeys(client *http.Client, issuer string) *keys {
	if client == nil {
		client = http.DefaultClient
	}
	return &keys{client: client, issuer: issuer}
}

// verify checks a token's signature and returns its claims.
func (k *keys) verify(ctx context.Context, token string, now time.Time) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > maxToken {
		return nil, errToken
	}
	header, err := decodePart(parts[0])
	if err != nil {
		return nil, err
	}
	claims, err := decodePart(parts[1])
	if err != nil {
		return nil, err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, errToken
	}
	name, _ := header["alg"].(string)
	hash, ok := algorithms[name]
	if !ok {
		return nil, errors.New("signing method is not one of RSA")
	}
	id, _ := header["kid"].(string)
	key, err := k.find(ctx, id, now)
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, hash, h.Sum(nil), signature) != nil {
		return nil, errors.New("signature is invalid")
	}
	return claims, nil
}

func decodePart(part string) (map[string]any, error) {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return nil, errToken
	}
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&object) != nil || object == nil {
		return nil, errToken
	}
	return object, nil
}

// find returns a key by its id. An unknown one has the keys fetched again, but not all the time.
func (k *keys) find(ctx context.Context, id string, now time.Time) (*rsa.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key := k.byID[id]; key != nil && now.Sub(k.fetched) < keysFor {
		return key, nil
	}
	if k.byID == nil || now.Sub(k.fetched) >= fetchAgain {
		found, err := k.fetch(ctx)
		if err != nil {
			return nil, err
		}
		k.byID, k.fetched = found, now
	}
	if key := k.byID[id]; key != nil {
		return key, nil
	}
	return nil, errors.New("unable to find the key of the token")
}

// fetch asks the issuer where its keys are, and for them.
func (k *keys) fetch(ctx context.Context) (map[string]*rsa.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	var about struct {
		Keys string `json:"jwks_uri"`
	}
	if err := k.get(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", &about); err != nil {
		return nil, err
	}
	var set struct {
		Keys []struct {
			Kind    string `json:"kty"`
			ID      string `json:"kid"`
			Modulus string `json:"n"`
			E       string `json:"e"`
		} `json:"keys"`
	}
	if err := k.get(ctx, about.Keys, &set); err != nil {
		return nil, err
	}
	found := map[string]*rsa.PublicKey{}
	for _, key := range set.Keys {
		n, err := base64.RawURLEncoding.DecodeString(key.Modulus)
		e, err2 := base64.RawURLEncoding.DecodeString(key.E)
		if key.Kind != "RSA" || err != nil || err2 != nil || len(n) < 256 || len(n) > 1024 || len(e) > 4 {
			continue
		}
		found[key.ID] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	return found, nil
}

func (k *keys) get(ctx context.Context, url string, to any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return errors.New("the issuer's address cannot be used")
	}
	answer, err := k.client.Do(request)
	if err != nil {
		return errors.New("the issuer does not answer")
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxFetched))
	if err != nil || answer.StatusCode != http.StatusOK || json.Unmarshal(text, to) != nil {
		return fmt.Errorf("the issuer answers with status %d and no document", answer.StatusCode)
	}
	return nil
}

// checkClaims checks what a token says against the authorizer and the clock.
func checkClaims(claims map[string]any, au *Authorizer, now time.Time) error {
	if claims["iss"] != au.Issuer {
		return errors.New("invalid issuer")
	}
	if !audienceFits(claims, au.Audience) {
		return errors.New("invalid audience")
	}
	exp, ok, err := instant(claims, "exp")
	if err != nil || !ok || !now.Before(exp) {
		return errors.New("the token has expired")
	}
	for _, name := range []string{"nbf", "iat"} {
		at, ok, err := instant(claims, name)
		if err != nil || ok && now.Before(at) {
			return fmt.Errorf("the token is not valid yet: %s", name)
		}
	}
	return nil
}

// audienceFits looks at aud, or at client_id where there is none.
func audienceFits(claims map[string]any, audience []string) bool {
	switch aud := claims["aud"].(type) {
	case string:
		return slices.Contains(audience, aud)
	case []any:
		return slices.ContainsFunc(aud, func(v any) bool {
			s, ok := v.(string)
			return ok && slices.Contains(audience, s)
		})
	case nil:
		id, ok := claims["client_id"].(string)
		return ok && slices.Contains(audience, id)
	}
	return false
}

// instant is a claim that counts seconds.
func instant(claims map[string]any, name string) (time.Time, bool, error) {
	if claims[name] == nil {
		return time.Time{}, false, nil
	}
	n, ok := claims[name].(json.Number)
	if !ok {
		return time.Time{}, false, errToken
	}
	seconds, err := n.Float64()
	if err != nil || seconds < 0 || seconds > 1e11 {
		return time.Time{}, false, errToken
	}
	return time.UnixMilli(int64(seconds * 1000)), true, nil
}

// scopesOf are a token's scopes: "scope" in one text, or "scp".
func scopesOf(claims map[string]any) []string {
	if text, ok := claims["scope"].(string); ok {
		return strings.Fields(text)
	}
	var scopes []string
	switch scp := claims["scp"].(type) {
	case string:
		return strings.Fields(scp)
	case []any:
		for _, v := range scp {
			if s, ok := v.(string); ok {
				scopes = append(scopes, s)
			}
		}
	}
	return scopes
}

// claimTexts are claims as functions get them: all are texts, lists in brackets.
func claimTexts(claims map[string]any) map[string]string {
	texts := map[string]string{}
	for name, v := range claims {
		if text, ok := scalarText(v); ok {
			texts[name] = text
			continue
		}
		if list, ok := v.([]any); ok {
			var items []string
			for _, item := range list {
				text, _ := scalarText(item)
				items = append(items, text)
			}
			texts[name] = "[" + strings.Join(items, " ") + "]"
			continue
		}
		text, err := json.Marshal(v)
		if err == nil {
			texts[name] = string(text)
		}
	}
	return texts
}
