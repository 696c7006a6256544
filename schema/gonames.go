package schema

import (
	"fmt"
	"go/token"
	"strings"
	"unicode"
	"unicode/utf8"
)

// initialisms is staticcheck's default list. It is frozen for "esgen: 1": a
// change would rename identifiers that users have written.
var initialisms = setOf("ACL", "API", "ASCII", "CPU", "CSS", "DNS", "EOF", "GUID", "HTML", "HTTP", "HTTPS",
	"ID", "IP", "JSON", "QPS", "RAM", "RPC", "SLA", "SMTP", "SQL", "SSH", "TCP", "TLS", "TTL", "UDP", "UI",
	"GID", "UID", "UUID", "URI", "URL", "UTF8", "VM", "XML", "XMPP", "XSRF", "XSS", "SIP", "RTP", "AMQP",
	"DB", "TS")

// Methods that generated structs have beside their fields. A field of the same Go
// name is declared with "Field" appended, see [GoFields].
var (
	// EventMethods are those of an event and of a shared object type.
	EventMethods = []string{"AppendFields", "AppendJSON", "Decode", "EntityID", "EventType"}
	// RedactionMethods are those of a struct that holds something sensitive.
	RedactionMethods = []string{"Format", "LogValue", "MarshalJSON"}
	// ViewMethods are those of a view.
	ViewMethods = []string{"AppendIndexEntries", "AppendJSON", "Decode", "Fold", "Load"}
)

// GoName is the exported Go identifier for a name of the schema: "customerId"
// becomes "CustomerID", "in-progress" becomes "InProgress". It is a valid exported
// identifier for any text.
func GoName(name string) string {
	var b strings.Builder
	for _, word := range words(name) {
		b.WriteString(goWord(word))
	}
	id := b.String()
	if first, _ := utf8.DecodeRuneInString(id); !unicode.IsUpper(first) {
		return "X" + id
	}
	return id
}

// GoLocal is the unexported Go identifier for a name of the schema: "customerId"
// becomes "customerID", "URL" becomes "url", "type" becomes "typeValue".
func GoLocal(name string) string {
	ws := words(name)
	var b strings.Builder
	for i, word := range ws {
		if i == 0 {
			word = lowerFirst(word)
		} else {
			word = goWord(word)
		}
		b.WriteString(word)
	}
	id := b.String()
	if !token.IsIdentifier(id) && !token.IsKeyword(id) || token.IsExported(id) {
		id = "x" + id
	}
	if token.IsKeyword(id) || predeclared[id] {
		id += "Value"
	}
	return id
}

// GoFields are the Go names of the fields of one struct, in the order of names.
// A field that would be called like one of the struct's methods gets "Field"
// appended, until it differs from its siblings too.
func GoFields(names []string, methods ...[]string) []string {
	ids := make([]string, len(names))
	taken := map[string]bool{}
	for i, name := range names {
		ids[i] = GoName(name)
		taken[ids[i]] = true
	}
	reserved := map[string]bool{}
	for _, list := range methods {
		for _, m := range list {
			reserved[m] = true
		}
	}
	for i, id := range ids {
		if !reserved[id] {
			continue
		}
		for id += "Field"; taken[id] || reserved[id]; id += "Field" {
		}
		ids[i], taken[id] = id, true
	}
	return ids
}

// GoConst is what follows the name of the type in the constant for a value of an
// enum: "placed" gives "Placed", "in-progress" "InProgress", "1st" "1st", "A+"
// "APlus", "" "Empty". It is a valid identifier behind any other.
func GoConst(value string) string {
	if value == "" {
		return "Empty"
	}
	if strings.IndexFunc(value, isSeparator) >= 0 && strings.ToUpper(value) == value {
		value = strings.ToLower(value) // IN_PROGRESS reads as two words, EUR stays as it is
	}
	var b strings.Builder
	rs := []rune(value)
	start := 0 // of the run of letters and digits being read
	flush := func(end int) {
		for _, word := range words(string(rs[start:end])) {
			b.WriteString(goWord(word))
		}
		start = end + 1
	}
	for i, r := range rs {
		if isIdentRune(r) {
			continue
		}
		flush(i)
		between := i > 0 && i+1 < len(rs) && isIdentRune(rs[i-1]) && isIdentRune(rs[i+1])
		switch {
		case between && isSeparator(r) && unicode.IsDigit(rs[i-1]) && unicode.IsDigit(rs[i+1]):
			b.WriteByte('_') // "1-2" is not "12"
		case between && isSeparator(r):
		default:
			b.WriteString(symbolName(r))
		}
	}
	flush(len(rs))
	return b.String()
}

// GoEnumConst is the constant for a value of a named enum: "CurrencyEUR".
func GoEnumConst(typeName, value string) string {
	return GoName(typeName) + GoConst(value)
}

// GoFieldConst is the constant for a value of an enum written in place:
// "ViewStatusPlaced". field is the field's Go name.
func GoFieldConst(structName, field, value string) string {
	return structName + field + GoConst(value)
}

// words splits a name into its words: where a lower-case letter or a digit is followed by an
// upper-case letter, where a lower-case letter is followed by a digit (so that
// "ip4" holds an initialism), and at everything that cannot stand in an identifier.
func words(name string) []string {
	var ws []string
	rs := []rune(name)
	start := 0
	cut := func(end int) {
		if end > start {
			ws = append(ws, string(rs[start:end]))
		}
		start = end
	}
	for i, r := range rs {
		switch {
		case !isIdentRune(r):
			cut(i)
			start = i + 1
		case i > start && unicode.IsUpper(r) && !unicode.IsUpper(rs[i-1]):
			cut(i)
		case i > start && unicode.IsDigit(r) && unicode.IsLower(rs[i-1]) && !strings.EqualFold(string(rs[start:i+1]), "utf8"):
			cut(i)
		}
	}
	cut(len(rs))
	return ws
}

func goWord(word string) string {
	if up := strings.ToUpper(word); initialisms[up] {
		return up
	}
	first, size := utf8.DecodeRuneInString(word)
	return string(unicode.ToUpper(first)) + word[size:]
}

// lowerFirst makes the leading upper-case letters of a word lower case, up to
// the one that begins the next: "HTTPServer" becomes "httpServer".
func lowerFirst(word string) string {
	rs := []rune(word)
	for i := range rs {
		if !unicode.IsUpper(rs[i]) || i > 0 && i+1 < len(rs) && unicode.IsLower(rs[i+1]) {
			break
		}
		rs[i] = unicode.ToLower(rs[i])
	}
	return string(rs)
}

func isIdentRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func isSeparator(r rune) bool { return strings.ContainsRune("-_ /:", r) }

// symbolName spells a character that cannot stand in an identifier.
func symbolName(r rune) string {
	if name := symbols[r]; name != "" {
		return name
	}
	return fmt.Sprintf("U%04X", r)
}

var symbols = map[rune]string{
	'+': "Plus", '-': "Minus", '*': "Star", '/': "Slash", '%': "Percent", '=': "Equal", '<': "Less",
	'>': "Greater", '!': "Not", '?': "Question", '&': "And", '|': "Or", '^': "Caret", '~': "Tilde",
	'.': "Dot", ',': "Comma", ':': "Colon", ';': "Semicolon", '#': "Hash", '$': "Dollar", '@': "At",
	'_': "Underscore", ' ': "Space", '(': "Open", ')': "Close", '[': "OpenBracket", ']': "CloseBracket",
	'{': "OpenBrace", '}': "CloseBrace", '\'': "Quote", '"': "DoubleQuote", '`': "Backquote", '\\': "Backslash",
}

// predeclared are the identifiers of Go's universe, and "init", which a package cannot be imported as.
var predeclared = setOf("any", "bool", "byte", "comparable", "complex64", "complex128", "error", "float32",
	"float64", "int", "int8", "int16", "int32", "int64", "rune", "string", "uint", "uint8", "uint16", "uint32",
	"uint64", "uintptr", "true", "false", "iota", "nil", "append", "cap", "clear", "close", "complex", "copy",
	"delete", "imag", "len", "make", "max", "min", "new", "panic", "print", "println", "real", "recover", "init")

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}
