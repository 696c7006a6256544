package schema

import (
	"fmt"
)

// warnings name what is legal and probably wrong.
func (b *builder) warnings() {
	if b.service.API.Auth == AuthNone {
		b.add("auth-none", b.root.get("api").get("auth"), "anybody may call the API: everyone can read and write every "+b.service.Entity.Name, "auth: iam is the default")
	}
	b.incompleteDefault()
	for _, t := range b.service.Types {
		if !b.used[t.Name] {
			b.add("unused-type", b.types[t.Name].key, fmt.Sprintf("nothing uses the type %q", t.Name), "")
		}
	}
	reached := map[string]bool{}
	for _, e := range b.service.Events {
		reached[e.To] = true
	}
	for i, state := range b.service.Entity.States {
		if !reached[state] {
			b.add("unreachable-state", b.root.get("entity").get("states").items[i], fmt.Sprintf("no event leads to the state %q", state), "")
		}
	}
	for _, key := range []string{"views", "consumers"} {
		b.ignoredNames(b.root.get(key))
	}
	for _, e := range b.root.get("views").named() {
		b.ignoredNames(e.value.get("indexes"))
	}
}

// incompleteDefault: the answer at / would not know of some events.
func (b *builder) incompleteDefault() {
	v := b.views["default"]
	if v == nil || !v.KeyedByEntity {
		return
	}
	listed := map[*Event]bool{}
	for _, ve := range v.Events {
		listed[ve.Event] = true
	}
	var missing []string
	for _, e := range b.service.Events {
		if !listed[e] {
			missing = append(missing, e.Name)
		}
	}
	if len(missing) > 0 {
		b.add("default-incomplete", b.root.get("views").get("default").key("events"),
			fmt.Sprintf("the view \"default\" does not list every event: %s", list(missing)), "add what changes the answer at /")
	}
}

// ignoredNames: where names are kebab-case, an x- key looks like one.
func (b *builder) ignoredNames(n *node) {
	if n == nil {
		return
	}
	for _, e := range n.entries {
		if isExtension(e.key.text) && e.value.kind == mappingNode && (e.value.get("events") != nil || e.value.get("view") != nil || e.value.get("key") != nil) {
			b.add("ignored-name", e.key, fmt.Sprintf("%q is ignored, as every key that starts with x- is", e.key.text), "a name cannot start with x-")
		}
	}
}
