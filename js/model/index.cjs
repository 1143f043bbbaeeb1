/** The address of the model file: `TextEmbedder.fromPretrained(model)`. */
module.exports = require("node:url").pathToFileURL(require("node:path").join(__dirname, "model.int8.safetensors"));
