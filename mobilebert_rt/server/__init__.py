"""`mbrt serve`: an HTTP service for the text tasks. Needs the packages of the extra `server`.

settings     options of the command line and the environment
models       the models by name, and the tasks that each can do
batcher      the worker of a model: texts of many requests in one call of the engine
schemas      bodies of requests and responses
routes       every route: embeddings, labels, tokens, information
openapi      the OpenAPI document and the page /docs
endpoint     from a body to a handler's result: limits, time, errors, clients that leave
middleware   API key, request ids, logs and metrics
app, run     the application, and the process that serves it
"""
