package schema

import "bytes"

// Load reads and checks the text of a schema file. The service is nil exactly
// if a finding is an error; warnings alone still give one. File names the file
// in the findings and is not opened. Any text is safe to load: time and memory
// are bounded, and Load never panics. It may be called concurrently.
func Load(file string, text []byte) (*Service, Diagnostics) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	r := &report{source: newSource(file, text)}
	root := readYAML(r, text)
	if root == nil || r.found.HasErrors() {
		return nil, r.found.sorted()
	}
	checkStructure(r, root)
	if r.found.HasErrors() {
		return nil, r.found.sorted()
	}
	service := build(r, root)
	if r.found.HasErrors() {
		service = nil
	}
	return service, r.found.sorted()
}
