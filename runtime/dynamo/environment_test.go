package dynamo

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadTables(t *testing.T) {
	layouts := []ViewTable{
		{View: "default", Revision: 2, Indexes: []string{"status"}, Shards: 4},
		{View: "default", Revision: 1, Shards: 2},
		{View: "by-customer", Revision: 1, Shards: 4},
	}
	read := func(views string) (Tables, error) {
		var o Options
		env := map[string]string{EnvEvents: "e", EnvProgress: "p", EnvViews: views}
		err := o.ReadTables(func(name string) string { return env[name] }, layouts)
		return o.Tables, err
	}
	got, err := read("default.2=d2 by-customer.1=c=1")
	want := Tables{Events: "e", Progress: "p", Views: []ViewTable{
		{View: "default", Revision: 2, Name: "d2", Indexes: []string{"status"}, Shards: 4},
		{View: "by-customer", Revision: 1, Name: "c=1", Shards: 4},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got, err := read(""); err != nil || len(got.Views) != 0 {
		t.Errorf("none: %+v, %v", got, err)
	}
	for views, want := range map[string]string{
		"default.3=d": "default.3", "default=d": "does not know", "other.1=o": "other.1",
		"default.2": "view.revision=name", "default.2=": "view.revision=name", "default.x=d": "default.x",
	} {
		if _, err := read(views); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", views, err, want)
		}
	}
}
