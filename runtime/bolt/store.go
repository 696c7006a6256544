package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	bbolt "go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	es "github.com/esgen/esgen/runtime"
)

// MaxItem is the largest event, record or marker in bytes, keys and envelope included.
const MaxItem = 400 << 10

// maxPage is about how many bytes a page of anything holds.
const maxPage = 1 << 20

// layout is the number of the file's layout.
const layout = "1"

var (
	bucketMeta      = []byte("meta")
	bucketEvents    = []byte("events")
	bucketEventIDs  = []byte("eventids")
	bucketFeed      = []byte("feed")
	bucketViews     = []byte("views")
	bucketChanges   = []byte("changes")
	bucketProgress  = []byte("progress")
	bucketExpiry    = []byte("expiry")
	bucketPositions = []byte("positions")

	bucketLive    = []byte("live")
	bucketGone    = []byte("gone")
	bucketIndex   = []byte("index")
	bucketMarkers = []byte("markers")
)

// ErrInUse: another process has the file open.
var ErrInUse = errors.New("bolt: the store is in use by another process")

// Options say how a store is opened; the zero value serves.
type Options struct {
	// Timeout is how long Open waits for another process to close the file; default 1 s.
	Timeout time.Duration
	// Clock decides which entries of the progress store have expired, and says when records change.
	Clock es.Clock
	// Readers are all readers of the feeds: changes of a view are kept exactly while it has
	// readers here that have not read them. nil leaves the readers as they were.
	Readers []Reader
}

// Reader is one reader of the events feed or of a view's feed.
type Reader struct {
	Name string
	View string // the view whose changes it reads; "" for events
	// FromStart makes a reader that the store does not know yet begin with the
	// first event instead of the next one.
	FromStart bool
}

// Store is an open store. It implements es.EventStore, es.ViewStore and
// es.ProgressStore and is safe for concurrent use.
type Store struct {
	db     *bbolt.DB
	clock  es.Clock
	writes chan *write
	lazy   lazyPositions
	turns  turns

	closing   chan struct{} // closed by Close
	stopped   chan struct{} // closed by the committer when it ends
	closeOnce sync.Once
	closeErr  error

	grown  bool // the committer's own: its transaction added to a feed
	newsMu sync.Mutex
	news   chan struct{}
}

// Open opens the store in a file, which it creates, with its folder, if it does not exist.
// The error is ErrInUse if another process has it open.
func Open(path string, o Options) (*Store, error) {
	if o.Timeout <= 0 {
		o.Timeout = time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("bolt: create %s: %w", path, err)
	}
	db, err := openFile(path, o.Timeout)
	if err != nil {
		return nil, err
	}
	s := &Store{
		db:      db,
		clock:   o.Clock,
		writes:  make(chan *write),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
		news:    make(chan struct{}),
	}
	s.lazy.due = make(chan struct{}, 1)
	s.lazy.positions = map[string]uint64{}
	if err := s.prepare(o.Readers); err != nil {
		return nil, errors.Join(fmt.Errorf("bolt: open %s: %w", path, err), db.Close())
	}
	go s.commitLoop()
	return s, nil
}

// create makes an empty database under another name first: a process killed
// while it writes the first pages leaves no file that nothing can open.
func create(path string) error {
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".new-store-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	fresh := filepath.Join(folder, "store.db")
	db, err := bbolt.Open(fresh, 0o600, nil)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	// Link does not replace a store that another process created meanwhile; an
	// empty file in its place is one that bbolt itself fills.
	if err := os.Link(fresh, path); err != nil && !errors.Is(err, os.ErrExist) {
		if err := os.Rename(fresh, path); err != nil {
			return err
		}
	}
	syncFolder(filepath.Dir(path))
	return nil
}

// syncFolder makes the file's name as durable as its content. Where folders cannot be synced,
// as on Windows, the file system sees to that itself.
func syncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}

func openFile(path string, timeout time.Duration) (db *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil { // bbolt's way of refusing a damaged free list
			err = fmt.Errorf("bolt: %s is damaged: %v", path, p)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: timeout, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s; stop that one or name another file", ErrInUse, path)
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum), errors.Is(err, bbolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("bolt: %s is no store, or a damaged one: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("bolt: open %s: %w", path, err)
	}
	return db, nil
}

// prepare makes the buckets, checks the layout and settles the readers.
func (s *Store) prepare(readers []Reader) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketMeta, bucketEvents, bucketEventIDs, bucketFeed, bucketViews,
			bucketChanges, bucketProgress, bucketExpiry, bucketPositions} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		switch format := string(meta.Get([]byte("format"))); format {
		case layout:
		case "":
			if err := meta.Put([]byte("format"), []byte(layout)); err != nil {
				return err
			}
		default:
			return fmt.Errorf("the file has layout %s, this program reads %s: use the esgen that wrote it", strconv.Quote(format), layout)
		}
		if readers != nil {
			if err := settleReaders(tx, readers); err != nil {
				return err
			}
		}
		return s.loadPositions(tx)
	})
}

// Stores returns the store as the three kinds that a service works on.
func (s *Store) Stores() es.Stores { return es.Stores{Events: s, Views: s, Progress: s} }

// Close stores what is under way and closes the file. Calls that come later fail.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		<-s.stopped
		s.lazy.stop()
		s.closeErr = s.db.Close()
	})
	return s.closeErr
}

// view runs a read-only transaction.
func (s *Store) view(read func(tx *bbolt.Tx) error) (err error) {
	err = s.db.View(read)
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return err
}
