package ops_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/internal/notes"
	"github.com/esgen/esgen/runtime/ops"
)

// A folder whose code is older or newer than what is deployed says so, before anything is asked.
func TestStackOfOtherCode(t *testing.T) {
	for variable, value := range map[string]string{
		"AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
		dynamo.EnvEvents: "events", dynamo.EnvProgress: "progress",
	} {
		t.Setenv(variable, value)
	}
	layouts := []dynamo.ViewTable{{View: "default", Revision: 2, Shards: 1}, {View: "tags", Revision: 2, Shards: 1}}
	for views, want := range map[string]string{
		"default.1=d1 tags.1=t1":                                  "the code in this folder is not what the stack notes-dev has: it has no table of revision 2 of the view default; check out",
		"default.2=d2":                                            "it has no table of revision 2 of the view tags",
		"default.2=d2 tags.2=t2 tags.3=t3":                        "names a table for tags.3, which this program does not know",
		"default.2=d2 tags.2=t2 tags":                             `has "tags"`,
		"default.1=d1 gone.7=g default.2=d2 tags.1=t1 tags.2=t2 ": "127.0.0.1:1", // it goes as far as asking
	} {
		t.Setenv(dynamo.EnvViews, views)
		var out, errs bytes.Buffer
		status := ops.Run(t.Context(), atRevision(notes.Model(""), 2), layouts, []string{"-deployed", "notes-dev", "quarantine", "list"}, &out, &errs)
		if status != 2 || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: status %d, %s\nwant %q", views, status, &errs, want)
		}
	}
}
