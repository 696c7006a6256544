package s3

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Options are what a Service needs to know.
type Options struct {
	Region string
	Now    func() time.Time // the clock of Last-Modified and expiry; nil is time.Now
	// MaxBytes bounds what all buckets hold together; 0 is 256 MiB.
	MaxBytes int64
}

// BucketConfig is what can be declared of a bucket.
type BucketConfig struct {
	Name        string
	ExpireAfter time.Duration // whole days; 0 keeps objects
}

// Service has buckets. It is an http.Handler and safe for concurrent use.
type Service struct {
	options Options

	mu      sync.Mutex
	buckets map[string]*bucket
	bytes   int64
}

type bucket struct {
	config  BucketConfig
	objects map[string]object
}

type object struct {
	body        []byte
	contentType string
	etag        string
	modified    time.Time
}

// Object is an object without its content.
type Object struct {
	Key      string
	Size     int64
	ETag     string // in quotes, as S3 has it
	Modified time.Time
}

// Failure is an error that S3 would answer.
type Failure struct {
	Code    string // "NoSuchKey"
	Message string
	Status  int // of HTTP
}

func (f *Failure) Error() string { return "s3: " + f.Code + ": " + f.Message }

// objectOverhead is what an object costs beyond key and content.
const objectOverhead = 256

// maxKey is S3's limit of a key, in bytes.
const maxKey = 1024

// New returns a service without buckets.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 256 << 20
	}
	return &Service{options: o, buckets: map[string]*bucket{}}
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// CreateBucket adds a bucket.
func (s *Service) CreateBucket(c BucketConfig) error {
	const day = 24 * time.Hour
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !bucketName.MatchString(c.Name) || strings.Contains(c.Name, ".."):
		return fmt.Errorf("s3: bucket %q: a name has 3 to 63 lower case letters, digits, hyphens and dots", c.Name)
	case c.ExpireAfter < 0 || c.ExpireAfter%day != 0:
		return fmt.Errorf("s3: bucket %s: objects expire after whole days, not %v", c.Name, c.ExpireAfter)
	case s.buckets[c.Name] != nil:
		return fmt.Errorf("s3: there is a bucket %s already", c.Name)
	}
	s.buckets[c.Name] = &bucket{config: c, objects: map[string]object{}}
	return nil
}

// HasBucket reports whether there is a bucket of that name.
func (s *Service) HasBucket(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buckets[name] != nil
}

// Put stores a copy of the content. Errors are *Failure.
func (s *Service) Put(bucket, key string, body []byte) error {
	_, f := s.put(bucket, key, "application/octet-stream", slices.Clone(body))
	if f != nil {
		return f
	}
	return nil
}

func (s *Service) put(name, key, contentType string, body []byte) (object, *Failure) {
	if key == "" || len(key) > maxKey || !utf8.ValidString(key) {
		return object{}, &Failure{"KeyTooLongError", "a key has 1 to 1024 bytes of UTF-8", 400}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, f := s.bucket(name)
	if f != nil {
		return object{}, f
	}
	sum := md5.Sum(body)
	o := object{body: body, contentType: contentType, etag: `"` + hex.EncodeToString(sum[:]) + `"`, modified: s.options.Now().UTC()}
	freed := int64(0)
	if old, ok := b.objects[key]; ok {
		freed = cost(key, old)
	}
	if s.bytes-freed+cost(key, o) > s.options.MaxBytes {
		return object{}, &Failure{"ServiceUnavailable", fmt.Sprintf("this stand-in holds at most %d bytes in all buckets together", s.options.MaxBytes), 503}
	}
	s.drop(b, key)
	b.objects[key] = o
	s.bytes += cost(key, o)
	return o, nil
}

// Get returns the content, which the caller must not change. Errors are *Failure.
func (s *Service) Get(bucket, key string) ([]byte, error) {
	o, f := s.get(bucket, key)
	if f != nil {
		return nil, f
	}
	return o.body, nil
}

func (s *Service) get(name, key string) (object, *Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, f := s.bucket(name)
	if f != nil {
		return object{}, f
	}
	o, ok := b.objects[key]
	if !ok {
		return object{}, &Failure{"NoSuchKey", "The specified key does not exist.", 404}
	}
	return o, nil
}

// List returns the objects whose keys begin so, in the order of their keys. Errors are *Failure.
func (s *Service) List(bucket, prefix string) ([]Object, error) {
	objects, f := s.list(bucket, prefix)
	if f != nil {
		return nil, f
	}
	return objects, nil
}

func (s *Service) list(name, prefix string) ([]Object, *Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, f := s.bucket(name)
	if f != nil {
		return nil, f
	}
	var found []Object
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if o := b.objects[key]; strings.HasPrefix(key, prefix) {
			found = append(found, Object{Key: key, Size: int64(len(o.body)), ETag: o.etag, Modified: o.modified})
		}
	}
	return found, nil
}

// Delete removes an object, or does nothing if there is none. Errors are *Failure.
func (s *Service) Delete(bucket, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, f := s.bucket(bucket)
	if f != nil {
		return f
	}
	s.drop(b, key)
	return nil
}

// bucket returns a bucket without what has expired.
func (s *Service) bucket(name string) (*bucket, *Failure) {
	b := s.buckets[name]
	if b == nil {
		return nil, &Failure{"NoSuchBucket", "The specified bucket does not exist", 404}
	}
	if b.config.ExpireAfter > 0 {
		for key, o := range b.objects {
			if !s.options.Now().Before(o.modified.Add(b.config.ExpireAfter)) {
				s.drop(b, key)
			}
		}
	}
	return b, nil
}

func (s *Service) drop(b *bucket, key string) {
	if o, ok := b.objects[key]; ok {
		delete(b.objects, key)
		s.bytes -= cost(key, o)
	}
}

func cost(key string, o object) int64 {
	return int64(len(key) + len(o.body) + len(o.contentType) + objectOverhead)
}
