package dynamo

import (
	"fmt"
	"strconv"
	"strings"
)

// Variables in which a stack names its tables to its programs. All that a Lambda function may
// be told is 4 KB, so only what the stack alone knows is in them: the layout is compiled in.
const (
	EnvEvents   = "ESGEN_EVENTS"
	EnvProgress = "ESGEN_PROGRESS"
	// EnvViews has, for each table of a view, "view.revision=name"; a space between two.
	EnvViews = "ESGEN_VIEWS"
)

// ReadTables fills in the tables that the environment names. layouts are those that the
// program knows, without names; one that the environment does not name is left out, one that it
// names and the program does not know is an error.
func (o *Options) ReadTables(getenv func(name string) string, layouts []ViewTable) error {
	o.Tables = Tables{Events: getenv(EnvEvents), Progress: getenv(EnvProgress)}
	for word := range strings.FieldsSeq(getenv(EnvViews)) {
		table, name, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return fmt.Errorf("dynamo: %s has %q, want view.revision=name", EnvViews, word)
		}
		layout := findLayout(layouts, table)
		if layout == nil {
			return fmt.Errorf("dynamo: %s names a table for %s, which this program does not know: deploy stack and functions together", EnvViews, table)
		}
		named := *layout
		named.Name = name
		o.Tables.Views = append(o.Tables.Views, named)
	}
	return nil
}

// findLayout finds the layout of "view.revision".
func findLayout(layouts []ViewTable, table string) *ViewTable {
	dot := strings.LastIndexByte(table, '.')
	if dot < 0 {
		return nil
	}
	revision, err := strconv.Atoi(table[dot+1:])
	if err != nil {
		return nil
	}
	for i := range layouts {
		if layouts[i].View == table[:dot] && layouts[i].Revision == revision {
			return &layouts[i]
		}
	}
	return nil
}
