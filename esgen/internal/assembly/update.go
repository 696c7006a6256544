package assembly

import "reflect"

// Ref is what references to the resource give, "" before it is created.
func (r *Resource) Ref() string { return r.ref }

// Kept has the resource be the one that an earlier deployment created.
func (r *Resource) Kept(before *Resource) {
	r.Created(before.ref, before.attributes)
}

// Retained reports whether the resource outlives its place in the template.
func (r *Resource) Retained() bool {
	return r.raw.DeletionPolicy != "" && r.raw.DeletionPolicy != "Delete"
}

// Same reports whether two resources have the same properties. Of neither reader has anything been taken.
func (r *Reader) Same(other *Reader) bool { return reflect.DeepEqual(r.members, other.members) }
