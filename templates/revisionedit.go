package templates

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/esgen/esgen/schema"
)

// The edits of the record of revisions that nobody but the user can ask for: what they
// say is known of no file.

// DroppedRevisions is what [DropRevisions] took out of the record.
type DroppedRevisions struct {
	View      string
	Removed   bool  // the whole view, which the schema no longer has
	Revisions []int // whose tables the next deployment removes, newest first
}

// DropRevisions takes a view's revisions before the current one out of the record, or all of a view that
// the schema no longer has, of which the last number stays. The error is of a record that cannot be read, or does not know the view.
func DropRevisions(record []byte, view string) ([]byte, DroppedRevisions, error) {
	d := DroppedRevisions{View: view}
	r, h, err := readHistory(record, view)
	if err != nil {
		return nil, d, err
	}
	if d.Removed = h.Removed; d.Removed {
		d.Revisions = append(d.Revisions, h.Current.Revision)
		delete(r.Views, view)
	}
	for _, s := range h.before() {
		d.Revisions = append(d.Revisions, s.Revision)
	}
	if d.Removed {
		if r.Dropped == nil {
			r.Dropped = map[string]int{}
		}
		r.Dropped[view] = max(r.Dropped[view], slices.Max(d.Revisions))
	}
	h.Previous, h.Older = nil, nil
	text, err := r.text()
	return text, d, err
}

// IsRemoved reports whether the record has a view as one that the schema no longer has.
func IsRemoved(record []byte, view string) bool {
	_, h, err := readHistory(record, view)
	return err == nil && h.Removed
}

// Deployed notes of views, by name, which revision was seen deployed, and the hash of the view's code; what has been noted before stands. changed are the views of which something new was noted.
func Deployed(record []byte, seen map[string]SeenRevision) (text []byte, changed []string, err error) {
	r, err := readRevisions(record)
	if err != nil {
		return nil, nil, err
	}
	for _, view := range slices.Sorted(maps.Keys(seen)) {
		h, is := r.Views[view], seen[view]
		if h == nil || h.Removed || h.Current.Revision != is.Revision || h.Current.Code != "" || is.Code == "" {
			continue
		}
		h.Current.Code = is.Code
		changed = append(changed, view)
	}
	if len(changed) == 0 {
		return record, nil, nil
	}
	text, err = r.text()
	return text, changed, err
}

// SeenRevision is a revision of a view that a deployed service has.
type SeenRevision struct {
	Revision int
	Code     string
}

// AcceptCode takes the hash of a view's code for that of its revision: the code has changed, and its
// user says that the records do not.
func AcceptCode(record []byte, view, code string) ([]byte, error) {
	r, h, err := readHistory(record, view)
	if err != nil {
		return nil, err
	}
	h.Current.Code = code
	return r.text()
}

// CodeWarnings compares the code of views with what it was when their revisions were first seen
// deployed. code gives the hash of a view's own code, "" for code that cannot be read.
func CodeWarnings(record []byte, s *schema.Service, code func(folder string) string) ([]RevisionWarning, error) {
	r, err := readRevisions(record)
	if err != nil {
		return nil, err
	}
	var warnings []RevisionWarning
	for _, v := range s.Views {
		h := r.Views[v.Name]
		if h == nil || h.Current.Code == "" || h.Current.Revision != v.Revision {
			continue
		}
		if is := code(viewFolder(v)); is != "" && is != h.Current.Code {
			warnings = append(warnings, RevisionWarning{View: v.Name, Message: fmt.Sprintf(
				"view %q has other code than when its revision %d was seen deployed: what is folded already stays as the old code made it. "+
					"Raise the revision to %d; or, if the records come out the same, say so: esgen rebuild %s --accept-code",
				v.Name, v.Revision, v.Revision+1, v.Name)})
		}
	}
	return warnings, nil
}

// ViewFolder is where a view's code lies in the folder of its service.
func ViewFolder(v *schema.View) string { return viewFolder(v) }

func readHistory(record []byte, view string) (*revisions, *viewHistory, error) {
	r, err := readRevisions(record)
	if err != nil {
		return nil, nil, err
	}
	h := r.Views[view]
	if h == nil {
		return nil, nil, fmt.Errorf("%s knows no view %q; it has %s", RevisionsPath, view, strings.Join(slices.Sorted(maps.Keys(r.Views)), ", "))
	}
	return r, h, nil
}

func (r *revisions) text() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}
