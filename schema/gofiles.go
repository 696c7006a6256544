package schema

import (
	"go/token"
	"strings"
	"unicode"
)

// GoFile is the name, without ".go", of the file for an event, a type or the
// like: "OrderPlaced" gives "order_placed". Where Go would read a meaning into
// the end of the name ("_test", "_linux", "_windows_amd64") the words are joined: "SelfTest"
// gives "selftest". It is lower case, not empty, and a name that every file system takes.
func GoFile(name string) string {
	ws := fileWords(name)
	file := strings.Join(ws, "_")
	if hasFileMeaning(ws) {
		file = strings.Join(ws, "")
	}
	if file == "" || deviceNames[file] {
		file = strings.TrimPrefix(file+"_file", "_")
	}
	return file
}

// GoPackage is the folder and package name for a view or a consumer: its name
// without hyphens. What Go would not take as a package, gives a meaning of its own, or what
// generated code imports itself gets suffix appended, "view" or "consumer": "default"
// gives "defaultview".
func GoPackage(name, suffix string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r < 0x80 && isIdentRune(r) {
			b.WriteRune(r)
		}
	}
	pkg := b.String()
	switch {
	case pkg == "":
		return suffix
	case unicode.IsDigit(rune(pkg[0])): // no identifier begins like this, whatever follows
		return suffix + pkg
	case token.IsKeyword(pkg), predeclared[pkg], takenPackages[pkg], deviceNames[pkg]:
		return pkg + suffix
	}
	return pkg
}

// takenPackages are names of folders that the go command treats in a way of its
// own, and of packages that generated code imports. The list is frozen for "esgen: 1":
// a view's folder must not move because generated code begins to import another package.
var takenPackages = setOf("internal", "vendor", "main", "testdata", "cmd",
	"es", "events", "types", "upcasts", "service", "estest", "local", "ops",
	"bytes", "context", "errors", "fmt", "json", "log", "math", "os", "reflect", "regexp", "slices",
	"slog", "strconv", "strings", "sync", "testing", "time", "unsafe")

// deviceNames are taken by Windows, whatever the file's ending; Go modules refuse them.
var deviceNames = setOf("con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7",
	"com8", "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9")

// constrained are the GOOS and GOARCH values by which the go command leaves
// files out, "test" among them. Go keeps its own list frozen for the same purpose.
var constrained = setOf("test",
	"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl",
	"netbsd", "openbsd", "plan9", "solaris", "unix", "wasip1", "windows", "zos",
	"386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "loong64", "mips", "mipsle", "mips64",
	"mips64le", "mips64p32", "mips64p32le", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x",
	"sparc", "sparc64", "wasm")

// hasFileMeaning reports whether Go would read the last word of a file's name as
// a constraint; "_gen" is what our own files end in.
func hasFileMeaning(ws []string) bool {
	return len(ws) > 1 && (constrained[ws[len(ws)-1]] || ws[len(ws)-1] == "gen")
}

// fileWords splits a name as [words] does, keeps digits with the word before
// them and also splits an acronym from the word that follows it.
func fileWords(name string) []string {
	var ws []string
	for _, run := range strings.FieldsFunc(name, func(r rune) bool { return !isIdentRune(r) }) {
		rs := []rune(run)
		start := 0
		for i := 1; i < len(rs); i++ {
			begins := unicode.IsUpper(rs[i]) &&
				(!unicode.IsUpper(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1]))
			if begins {
				ws = append(ws, strings.ToLower(string(rs[start:i])))
				start = i
			}
		}
		ws = append(ws, strings.ToLower(string(rs[start:])))
	}
	return ws
}
