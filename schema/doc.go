// Package schema is the language of esgen.yaml: it loads a file with positions,
// checks it, says what is wrong with it, and gives the model that generators
// read. It knows nothing of Go code or of files to write.
package schema
