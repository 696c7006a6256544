// Package version says which esgen this is.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Number is the version of the toolkit. It is a constant, not taken from the
// build, so that equal sources write equal manifests.
const Number = "0.1.0"

// Info is what there is to know of a build.
type Info struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`   // "" when the build does not say
	Modified bool   `json:"modified"` // built from a commit with changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Build returns what this program knows of itself.
func Build() Info {
	i := Info{Version: Number, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			switch s.Key {
			case "vcs.revision":
				i.Commit = s.Value
			case "vcs.modified":
				i.Modified = s.Value == "true"
			}
		}
	}
	return i
}

func (i Info) String() string {
	commit := ""
	if i.Commit != "" {
		commit = ", commit " + i.Commit[:min(12, len(i.Commit))]
		if i.Modified {
			commit += " with changes"
		}
	}
	return fmt.Sprintf("esgen %s%s, %s, %s", i.Version, commit, i.Go, i.Platform)
}
