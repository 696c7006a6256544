package templates

import (
	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// authorizerFolder is the folder of the user's authorizer, and the name of its package.
const authorizerFolder = "authorizer"

// authorizerFiles generates the user's authorizer where the schema asks for one. It lets nobody in
// until it is filled in.
func authorizerFiles(s *schema.Service) []File {
	if s.API.Auth != schema.AuthCustom {
		return nil
	}
	g := newGofile(s, authorizerFolder, authorizerFolder, "Package authorizer decides who may call the API of the "+s.Name+" service.")
	g.declare("Authorize decides whether a caller may send a request. The actor is who the caller is: it is stored "+
		"with events and never shown over HTTP. The gateway asks about each request, which comes without its body: look at "+
		"request.Header(\"Authorization\"), request.Method, request.Path. An error lets nobody in.\n\n"+
		"As it stands it lets nobody in.",
		jen.Func().Id("Authorize").Params(ctx(), param("request", pointed(es("Request")))).
			Params(param("actor", jen.String()), param("allowed", jen.Bool()), jen.Err().Error()).
			Block(jen.Return(jen.Lit(""), jen.False(), jen.Nil())))
	f := g.once("authorize.go")
	f.Declares, f.Left = "Authorize", "lets nobody in"
	return []File{f}
}
